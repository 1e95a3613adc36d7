"""The engine's log stream: its frames and time stamps, put together to lines. Pure."""

from __future__ import annotations

from calendar import timegm
from collections.abc import Iterator
from time import strptime

from tui.engine.interface import EngineError, LogLine
from tui.engine.text import LINE_LIMIT, cut

HEADER = 8
# The engine splits what a replica writes at 16 KiB; log plugins may take some more.
FRAME_LIMIT = 16 * 1024 * 1024
STDERR = 2
STAMP = len("2026-01-31T12:00:00.123456789Z ")


class Frames:
    """Takes the multiplexed stream apart.

    A frame is one byte for the stream (1 stdout, 2 stderr), three zeros, the size in four bytes, big-endian,
    and the payload (Docker Engine API, "Attach to a container", stream format).
    """

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, chunk: bytes) -> Iterator[tuple[int, bytes]]:
        """The frames that this chunk completes: the stream's number and the payload."""
        data = self._rest + chunk if self._rest else chunk
        at = 0
        while len(data) - at >= HEADER:
            size = int.from_bytes(data[at + 4 : at + HEADER])
            if data[at] > STDERR or data[at + 1 : at + 4] != b"\0\0\0" or size > FRAME_LIMIT:
                # Where the engine cannot read its own log, it says so in the middle of the stream.
                text = data[at : at + 300].decode(errors="replace").strip()
                raise EngineError(f"The log cannot be read any further: {text!r}")
            if len(data) - at - HEADER < size:
                break
            yield data[at], data[at + HEADER : at + HEADER + size]
            at += HEADER + size
        self._rest = data[at:]


class Clock:
    """Reads time stamps; the date is the same for many lines, so it is worked out once."""

    def __init__(self) -> None:
        self._date = b""
        self._seconds = 0

    def ns(self, stamp: bytes) -> int:
        """Nanoseconds since the epoch of `2026-01-31T12:00:00.123456789Z `. Raises EngineError."""
        try:
            if stamp[:19] != self._date:
                self._seconds = timegm(strptime(stamp[:19].decode(), "%Y-%m-%dT%H:%M:%S"))
                self._date = stamp[:19]
            if stamp[19:20] != b"." or stamp[29:] != b"Z ":
                raise ValueError
            return self._seconds * 1_000_000_000 + int(stamp[20:29])
        except ValueError:
            raise EngineError(f"The log has a line without a time: {stamp.decode(errors='replace')!r}") from None


class Joiner:
    """Puts one output's frames together to lines. A line longer than the limit comes in pieces."""

    def __init__(self, replica_id: str, clock: Clock, *, is_error_stream: bool) -> None:
        self._replica_id = replica_id
        self._clock = clock
        self._is_error_stream = is_error_stream
        self._at_ns = 0
        self._open = False
        self._rest = b""

    def add(self, frame: bytes) -> Iterator[LogLine]:
        """A frame: a time stamp and a line, or one of the parts of a long line, all with the same stamp."""
        at_ns = self._clock.ns(frame[:STAMP])
        if not self._open:
            self._at_ns, self._open = at_ns, True
        data = self._rest + frame[STAMP:] if self._rest else frame[STAMP:]
        ended = data.endswith(b"\n")
        self._rest = data[:-1] if ended else data
        while len(self._rest) > LINE_LIMIT:
            at = cut(self._rest, LINE_LIMIT)
            piece, self._rest = self._rest[:at], self._rest[at:]
            yield self._line(piece)
        if ended:
            yield from self.end()

    def end(self) -> Iterator[LogLine]:
        """What was written after the last line end."""
        if self._open:
            rest, self._rest, self._open = self._rest, b"", False
            yield self._line(rest)

    def _line(self, data: bytes) -> LogLine:
        return LogLine(self._replica_id, self._at_ns, data.decode(errors="replace"), self._is_error_stream)


class Log:
    """The lines of a replica's log stream. With a terminal (`tty`) the stream has no frames, only stdout."""

    def __init__(self, replica_id: str, *, tty: bool) -> None:
        self.replica_id = replica_id
        clock = Clock()
        self._outputs = (
            Joiner(replica_id, clock, is_error_stream=False),
            Joiner(replica_id, clock, is_error_stream=True),
        )
        self._frames = Frames()
        self._tty = tty
        self._rest = b""

    def feed(self, chunk: bytes) -> Iterator[LogLine]:
        """The lines that this chunk completes."""
        if self._tty:
            *lines, self._rest = (self._rest + chunk).split(b"\n")
            if len(self._rest) > FRAME_LIMIT:
                raise EngineError(f"The log has a line longer than {FRAME_LIMIT} bytes")
            for line in lines:
                yield from self._terminal_line(line)
            return
        for stream, frame in self._frames.feed(chunk):
            yield from self._outputs[stream == STDERR].add(frame)

    def end(self) -> Iterator[LogLine]:
        """What was written after the last line ends."""
        if self._rest:
            yield from self._terminal_line(self._rest)
        for output in self._outputs:
            yield from output.end()

    def _terminal_line(self, line: bytes) -> Iterator[LogLine]:
        # Each part of a line over 16 KiB has the stamp again; a terminal ends its lines with CR LF.
        stamp = line[:STAMP]
        yield from self._outputs[0].add(stamp + line[STAMP:].replace(stamp, b"").removesuffix(b"\r") + b"\n")
