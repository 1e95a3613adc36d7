"""Lines are whole and bounded."""

from __future__ import annotations

import pytest

from tui.engine.text import Lines


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
