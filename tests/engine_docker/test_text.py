"""Control sequences never come through, lines are whole and bounded."""

from __future__ import annotations

import random

import pytest

from tui.engine.text import Lines, clean


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
def test_clean(raw: str, wanted: str) -> None:
    assert clean(raw) == wanted


def test_clean_never_lets_a_control_character_through() -> None:
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
        text = clean("".join(chance.choices(parts, k=chance.randrange(12))))
        assert not [c for c in text if ord(c) < 0x20 or 0x7F <= ord(c) < 0xA0 or c == "\u202e"]


def test_clean_is_linear() -> None:
    for start in ("\x1b[", "\x1b]", "\x1b", "\r", "\x1b]a\x1b"):
        assert len(clean(start * 200_000)) < 1_000_000


def test_lines_at_every_boundary() -> None:
    data = "one\ntwö\n\nlast".encode()
    for at in range(len(data) + 1):
        lines = Lines()
        found = [*lines.feed(data[:at]), *lines.feed(data[at:]), *lines.end()]
        assert found == ["one", "twö", "", "last"]


@pytest.mark.parametrize("step", [1, 7, 10_000])
def test_a_long_line_comes_in_whole_characters(step: int) -> None:
    text = "ä€🎉" * 100
    data = (text + "\nend").encode()
    lines = Lines(limit=64)
    found = [line for at in range(0, len(data), step) for line in lines.feed(data[at : at + step])]
    found += lines.end()
    assert found[-1] == "end"
    assert "".join(found[:-1]) == text
    assert all(len(line.encode()) <= 64 for line in found)


def test_bytes_that_are_no_text_are_replaced() -> None:
    lines = Lines(limit=8)
    assert "".join(lines.feed(b"\x80" * 20 + b"\xff\n")) == "\ufffd" * 21
