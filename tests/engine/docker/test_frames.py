"""Frames and time stamps of the engine's log stream."""

from __future__ import annotations

import pytest

from tui.engine.docker.frames import Clock, Frames, Log
from tui.engine.interface import EngineError, LogLine

STAMP = b"2026-01-31T12:00:00.%09dZ "
BASE = 1_769_860_800_000_000_000


def frame(stream: int, payload: bytes) -> bytes:
    return bytes([stream, 0, 0, 0]) + len(payload).to_bytes(4) + payload


def line(stream: int, ns: int, text: bytes) -> bytes:
    return frame(stream, STAMP % ns + text)


def read(data: bytes, at: int, *, tty: bool = False) -> list[LogLine]:
    log = Log("x", tty=tty)
    return [*log.feed(data[:at]), *log.feed(data[at:]), *log.end()]


def short(lines: list[LogLine]) -> list[tuple[int, str, bool]]:
    return [(one.at_ns - BASE, one.text, one.is_error_stream) for one in lines]


def test_frames_at_every_boundary() -> None:
    data = (
        line(1, 1, b"out\n")
        + line(2, 2, b"err\n")
        + line(1, 3, b"part one, ")
        + line(2, 4, "größer\n".encode())
        + line(1, 3, b"part two\n")
        + line(1, 5, b"\n")
        + line(2, 6, b"10 %\r20 %\n")
        + line(1, 7, b"no end")
    )
    wanted = [
        (1, "out", False),
        (2, "err", True),
        (4, "größer", True),
        (3, "part one, part two", False),
        (5, "", False),
        (6, "10 %\r20 %", True),
        (7, "no end", False),
    ]
    for at in range(len(data) + 1):
        assert short(read(data, at)) == wanted
    one_by_one = Frames()
    assert len([f for byte in data for f in one_by_one.feed(bytes([byte]))]) == 8


def test_terminal_lines_at_every_boundary() -> None:
    data = STAMP % 1 + b"one\r\n" + STAMP % 2 + b"long " + STAMP % 2 + b"line\r\n" + STAMP % 3 + b"$ "
    for at in range(len(data) + 1):
        assert short(read(data, at, tty=True)) == [
            (1, "one", False),
            (2, "long line", False),
            (3, "$ ", False),
        ]


def test_a_huge_line_comes_in_pieces() -> None:
    part = "€".encode() * 5461
    data = b"".join(line(1, 9, part) for _ in range(20)) + line(1, 9, b"!\n")
    lines = read(data, 100_000)
    assert "".join(one.text for one in lines) == "€" * 5461 * 20 + "!"
    assert max(len(one.text.encode()) for one in lines) <= 64 * 1024
    assert {one.at_ns for one in lines} == {BASE + 9}


def test_bytes_that_are_no_text_are_replaced() -> None:
    assert short(read(line(1, 1, b"a\xffb\n"), 10)) == [(1, "a\ufffdb", False)]


def test_words_amid_the_frames_are_an_error() -> None:
    with pytest.raises(EngineError, match="Error grabbing logs: unexpected EOF"):
        read(line(1, 1, b"a\n") + b"Error grabbing logs: unexpected EOF\n", 20)


@pytest.mark.parametrize(
    "stamp", [b"", b"yesterday", b"2026-01-31T12:00:00.12345678Z  ", b"2026-13-31T12:00:00.123456789Z "]
)
def test_a_line_without_a_time_is_an_error(stamp: bytes) -> None:
    with pytest.raises(EngineError, match="without a time"):
        Clock().ns(stamp)
