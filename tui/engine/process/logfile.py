"""A replica's log: lines with their time in files that are rotated by size. Stdlib only, for the keeper's sake.

A line is `TIME_NS STREAM TEXT`; STREAM is `o` or `e`, in capitals where the text goes on in the next line.
"""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

LIMIT, KEPT = 10 * 1024 * 1024, 5
LONGEST = 64 * 1024


class Line(NamedTuple):
    """A line, or a piece of a long one."""

    at_ns: int
    text: str
    is_error: bool


class LogWriter:
    """Appends lines. A full disk drops lines, counts them and says so when it can write again."""

    def __init__(self, folder: Path, *, limit: int = LIMIT, kept: int = KEPT) -> None:
        self._file = folder / "log"
        self._limit, self._kept = limit, kept
        self._handle: int | None = None
        self._size = 0
        self._lost = 0
        self._pending = {"o": b"", "e": b""}
        self._last_ns = 0

    def feed(self, stream: str, chunk: bytes) -> None:
        """What a stream wrote; a line without its end waits for it."""
        *lines, rest = (self._pending[stream] + chunk).split(b"\n")
        out = [piece for line in lines for piece in self._pieces(stream, line)]
        while len(rest) >= LONGEST:
            out.append(self._line(stream.upper(), rest[:LONGEST]))
            rest = rest[LONGEST:]
        self._pending[stream] = rest
        if out:
            self._write(out)

    def end(self) -> None:
        """The streams are over: what waited is a line."""
        for stream, rest in self._pending.items():
            if rest:
                self._write(list(self._pieces(stream, rest)))
            self._pending[stream] = b""

    def _pieces(self, stream: str, line: bytes) -> Iterator[bytes]:
        while len(line) > LONGEST:
            yield self._line(stream.upper(), line[:LONGEST])
            line = line[LONGEST:]
        yield self._line(stream, line)

    def _line(self, stream: str, text: bytes) -> bytes:
        # Never the same time twice: readers tell lines by it.
        self._last_ns = max(time.time_ns(), self._last_ns + 1)
        return b"%d %s %s\n" % (self._last_ns, stream.encode(), text)

    def _write(self, lines: list[bytes]) -> None:
        count = len(lines)
        try:
            if self._handle is None or self._size > self._limit:
                self._open()
            assert self._handle is not None
            if self._lost:
                note = f"{self._lost} lines could not be written to the log: the disk was full"
                lines = [self._line("e", note.encode()), *lines]
            whole = b"".join(lines)
            written = os.write(self._handle, whole)
            self._size += written
            if written < len(whole):
                # Half a line would spoil the next one.
                os.ftruncate(self._handle, self._size - written)
                self._size -= written
                raise OSError("short write")
            self._lost = 0
        except OSError:
            self._lost += count

    def _open(self) -> None:
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None
            for number in range(self._kept - 1, 0, -1):
                older = self._file.with_name(f"log.{number}")
                if older.exists():
                    older.replace(self._file.with_name(f"log.{number + 1}"))
            self._file.replace(self._file.with_name("log.1"))
            self._file.with_name(f"log.{self._kept}").unlink(missing_ok=True)
        self._handle = os.open(self._file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        self._size = os.fstat(self._handle).st_size


class LogReader:
    """Reads a log from its oldest line on and then what comes; over rotations, without a lost or doubled line."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._open: BinaryIO | None = None
        self._rest = b""

    def close(self) -> None:
        """Gives the file back."""
        if self._open is not None:
            self._open.close()
            self._open = None

    def start_with(self, tail: int | None) -> list[Line]:
        """The last `tail` lines (None: all); `more` goes on after them."""
        lines: deque[Line] = deque(maxlen=tail)
        files = self._files()
        if tail is not None:
            # Whole files from the end, as many as are needed; each is bounded.
            wanted: list[Path] = []
            counted = 0
            for file in reversed(files):
                wanted.insert(0, file)
                try:
                    counted += file.read_bytes().count(b"\n")
                except OSError:
                    break
                if counted >= tail:
                    break
            files = wanted
        self._begin(files[0] if files else self._folder / "log")
        while part := self.more():
            lines.extend(part)
        return list(lines)

    def more(self, limit: int = 4 * 1024 * 1024) -> list[Line]:
        """What was written since, at most about `limit` bytes of it; nothing if there is nothing new."""
        if self._open is None:
            self._begin(self._folder / "log")
            if self._open is None:
                return []
        chunk = self._open.read(limit)
        if not chunk:
            following = self._following()
            if following is None:
                return []
            # The writer has left this file: what it wrote last is there by now.
            chunk = self._open.read()
            if not chunk:
                self._begin(following)
                return self.more(limit)
        whole, end, rest = (self._rest + chunk).rpartition(b"\n")
        self._rest = rest
        return [line for raw in whole.split(b"\n") if (line := _parse(raw))] if end else self.more(limit)

    def _files(self) -> list[Path]:
        """From the oldest to the newest."""
        older = sorted(self._folder.glob("log.[0-9]*"), key=lambda file: int(file.name[4:]), reverse=True)
        newest = self._folder / "log"
        return [*older, *([newest] if newest.exists() else [])]

    def _begin(self, file: Path) -> None:
        self.close()
        self._rest = b""
        try:
            self._open = file.open("rb", buffering=0)
        except OSError:
            self._open = None

    def _following(self) -> Path | None:
        """The file after the one that is read; None while that is the newest."""
        assert self._open is not None
        mine = os.fstat(self._open.fileno()).st_ino
        files = self._files()
        for place, file in enumerate(files):
            try:
                if file.stat().st_ino == mine:
                    return files[place + 1] if place + 1 < len(files) else None
            except OSError:
                return None
        return files[0] if files else None


def _parse(raw: bytes) -> Line | None:
    at, _, rest = raw.partition(b" ")
    stream, _, text = rest.partition(b" ")
    if not at.isdigit() or stream.lower() not in (b"o", b"e"):
        return None
    return Line(int(at), text.decode(errors="replace"), stream.lower() == b"e")
