"""What a container writes must not reach the terminal as anything but text and colours."""

from __future__ import annotations

import random
import re

import pytest

from tui.text import bare, clean, message

SGR = re.compile(r"\x1b\[[0-9;:]*m")


@pytest.mark.parametrize(
    ("line", "left"),
    [
        ("plain text", "plain text"),
        ("\x1b[31mred\x1b[0m", "\x1b[31mred\x1b[0m"),
        ("a\x1b[2Jb", "ab"),
        ("a\x1b]52;c;aGVsbG8=\x07b", "ab"),
        ("a\x1b]0;title\x1b\\b", "ab"),
        ("tab\tstays", "tab\tstays"),
        ("bell\x07", "bell\ufffd"),
        ("Zürich, 東京, naïve", "Zürich, 東京, naïve"),
        # Taken out of the middle, the rest must not close up to a sequence.
        ("\x1b\x1b[2J[2J", "\ufffd[2J"),
    ],
)
def test_only_text_and_colours_stay(line: str, left: str) -> None:
    assert clean(line) == left


def test_no_fuzzed_line_gets_a_control_through() -> None:
    chosen = random.Random(4)
    pieces = [
        "\x1b",
        "[",
        "]",
        "m",
        "31",
        ";",
        "52;c;",
        "\x07",
        "\\",
        "\x9b",
        "P",
        "x",
        "\r",
        "\x00",
        "2J",
        " ",
        "\u202e",
    ]
    for _ in range(20_000):
        line = "".join(chosen.choices(pieces, k=chosen.randint(1, 14)))
        rest = SGR.sub("", clean(line))
        assert not any((ord(c) < 32 and c != "\t") or 127 <= ord(c) < 160 or c == "\u202e" for c in rest), repr(line)
        assert "\x1b" not in bare(line)


@pytest.mark.parametrize(
    ("raw", "wanted"),
    [
        ("plain", "plain"),
        ("\x1b[1;31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07after", "after"),
        ("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1bPsecret\x1b\\after", "after"),
        ("\x9b31mred", "red"),
        ("\x9d0;title\x9cafter", "after"),
        ("10 %\r20 %\r30 %", "30 %"),
        ("done\r\n", "done"),
        ("a\tb", "a    b"),
        ("bell\x07 back\x08 null\x00", "bell back null"),
        ("\u202eevil\u2066", "evil"),
        ("\x1b[?25", ""),
        ("\x1b", ""),
        ("\x1b[2Jgone\x1b[H", "gone"),
        ("grüße 東京 🎉", "grüße 東京 🎉"),
        (" Container x  Started", " Container x  Started"),
    ],
)
def test_of_a_message_the_text_stays(raw: str, wanted: str) -> None:
    assert message(raw) == wanted


def test_a_message_never_lets_a_control_character_through() -> None:
    chance = random.Random(7)
    parts = [
        "\x1b",
        "[",
        "]",
        "P",
        "0;",
        "31m",
        "\x07",
        "\\",
        "\x9b",
        "\x9c",
        "\x90",
        "\r",
        "\n",
        "\t",
        "ab",
        "é",
        "\u202e",
    ]
    for _ in range(20_000):
        text = message("".join(chance.choices(parts, k=chance.randrange(12))))
        assert not [c for c in text if ord(c) < 0x20 or 0x7F <= ord(c) < 0xA0 or c == "\u202e"]


def test_messages_are_cleaned_in_linear_time() -> None:
    for start in ("\x1b[", "\x1b]", "\x1b", "\r", "\x1b]a\x1b"):
        assert len(message(start * 200_000)) < 1_000_000


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        (" 10%|#    | 1/10\r 50%|##   | 5/10\r100%|#####| 10/10", "100%|#####| 10/10"),
        ("\r[Stage 3:==>   (38 + 5) / 60]\r" + " " * 30 + "\r", "[Stage 3:==>   (38 + 5) / 60]"),
        ("\x1b[32m1/2\x1b[0m\r\x1b[32m2/2\x1b[0m", "\x1b[32m2/2\x1b[0m"),
        ("whole\r", "whole"),
        ("\r\r", ""),
    ],
)
def test_a_line_that_changes_is_its_last_state(line: str, shown: str) -> None:
    assert clean(line) == shown
