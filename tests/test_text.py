"""What a container writes must not reach the terminal as anything but text and colours."""

from __future__ import annotations

import random
import re

import pytest

from tui.text import bare, clean

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
