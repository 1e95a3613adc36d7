"""Text of untrusted origin: control sequences out, bytes into lines of bounded length."""

from __future__ import annotations

import re
from collections.abc import Iterator

# Pieces of a line that never ends; what reads lines must not have to hold more.
LINE_LIMIT = 64 * 1024

# ECMA-48: CSI sequences, the string sequences (OSC, DCS, SOS, PM, APC) up to their terminator or the line's
# end, other escapes of two or three characters; each with its 8-bit form.
_SEQUENCE = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?"
    r"|(?:\x1b[PX^_\]]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c|$)?"
    r"|\x1b[ -/]*[0-~]?"
)
_BIDI = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
_HARMFUL: dict[int, str | None] = {code: None for code in (*range(0x20), *range(0x7F, 0xA0), *map(ord, _BIDI))}
_HARMFUL |= {ord("\t"): "    ", 0x2028: " ", 0x2029: " "}


def clean(text: str) -> str:
    """One line as a terminal would have left it, without anything that a terminal would obey.

    Of what was overwritten by carriage returns, only the last state stays.
    """
    plain = _SEQUENCE.sub("", text.rstrip("\r\n"))
    return plain.rpartition("\r")[2].translate(_HARMFUL).rstrip()


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
