"""Bytes into lines of bounded length."""

from __future__ import annotations

from collections.abc import Iterator

# Pieces of a line that never ends; what reads lines must not have to hold more.
LINE_LIMIT = 64 * 1024


def cut(data: bytes, limit: int) -> int:
    """The largest length up to `limit` at which no UTF-8 character of `data` is broken."""
    at = limit
    while at > limit - 4 and at > 0 and data[at] & 0xC0 == 0x80:
        at -= 1
    return at if at > 0 and data[at] & 0xC0 != 0x80 else limit


class Lines:
    """Puts chunks of bytes together to lines, without line ends; a longer line comes in pieces."""

    def __init__(self, limit: int = LINE_LIMIT) -> None:
        self._limit = limit
        self._rest = b""

    def feed(self, chunk: bytes) -> Iterator[str]:
        """The lines that this chunk completes."""
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        for line in lines:
            yield from self._pieces(line)
        while len(self._rest) > self._limit:
            at = cut(self._rest, self._limit)
            piece, self._rest = self._rest[:at], self._rest[at:]
            yield piece.decode(errors="replace")

    def end(self) -> Iterator[str]:
        """What was written after the last line end."""
        rest, self._rest = self._rest, b""
        if rest:
            yield rest.decode(errors="replace")

    def _pieces(self, line: bytes) -> Iterator[str]:
        while len(line) > self._limit:
            at = cut(line, self._limit)
            yield line[:at].decode(errors="replace")
            line = line[at:]
        yield line.decode(errors="replace")
