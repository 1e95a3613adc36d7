"""A replica's log: lines with their time in files that are rotated by size. Stdlib only, for the keeper's sake.

A line is `TIME_NS STREAM TEXT`; STREAM is `o` or `e`, in capitals where the text goes on in the next line.
"""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
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
            done = whole.rfind(b"\n", 0, written) + 1
            self._size += done
            if done < written:
                # Half a line would spoil the next one.
                os.ftruncate(self._handle, self._size)
            # With the first line the note is written, if there was one.
            self._lost = whole[done:].count(b"\n") if done else self._lost + count
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
        # Read up to the end of a line, always.
        self._open: BinaryIO | None = None

    def close(self) -> None:
        """Gives the file back."""
        if self._open is not None:
            self._open.close()
            self._open = None

    def start_with(self, tail: int | None) -> list[Line]:
        """The last `tail` lines; `more` goes on after them. None: `more` gives all."""
        self._begin(tail)
        if tail is None:
            return []
        lines: deque[Line] = deque(maxlen=tail)
        while part := self.more():
            lines.extend(part)
        return list(lines)

    def more(self, limit: int = 1024 * 1024) -> list[Line]:
        """What was written since, at most about `limit` bytes of it; nothing if there is nothing new."""
        if self._open is None:
            self._begin(None)
        while self._open is not None:
            lines = self._lines(limit)
            following = None if lines else self._following()
            if lines or following is None:
                return lines
            # The writer has left this file: what it wrote last is there by now.
            lines = self._lines(limit)
            if lines:
                return lines
            self._go_to(*following)
        return []

    def _lines(self, limit: int) -> list[Line]:
        assert self._open is not None
        chunk = self._open.read(limit)
        whole, end, rest = chunk.rpartition(b"\n")
        # A line that is being written is read when it is whole; it may also be taken back.
        self._open.seek(-len(rest), os.SEEK_CUR)
        return [line for raw in whole.split(b"\n") if (line := _parse(raw))] if end else []

    def _files(self) -> list[tuple[int, Path]]:
        """Inode and path, from the oldest to the newest; not in the middle of a rotation."""
        found, before = self._list(), None
        while found != before:
            found, before = self._list(), found
        return found

    def _list(self) -> list[tuple[int, Path]]:
        numbered = sorted(self._folder.glob("log.[0-9]*"), key=lambda file: int(file.name[4:]), reverse=True)
        found = []
        for file in (*numbered, self._folder / "log"):
            with suppress(OSError):
                found.append((file.stat().st_ino, file))
        return found

    def _begin(self, tail: int | None) -> None:
        """Opens the file in which the last `tail` lines begin (None: the oldest)."""
        while files := self._files():
            counted = 0
            place = 0 if tail is None else len(files)
            while place > 0 and (place == len(files) or counted < (tail or 0)):
                place -= 1
                counted += _count(files[place][1])
            if self._go_to(*files[place]):
                return

    def _go_to(self, inode: int, file: Path) -> bool:
        """Opens a file, unless it was moved meanwhile."""
        try:
            opened = file.open("rb", buffering=0)
        except OSError:
            return False
        if os.fstat(opened.fileno()).st_ino != inode:
            opened.close()
            return False
        self.close()
        self._open = opened
        return True

    def _following(self) -> tuple[int, Path] | None:
        """The file after the one that is read, the oldest if that was dropped; None while it is the newest."""
        assert self._open is not None
        mine = os.fstat(self._open.fileno()).st_ino
        files = self._files()
        place = next((place for place, (inode, _) in enumerate(files) if inode == mine), -1)
        return files[place + 1] if place + 1 < len(files) else None


def _count(file: Path) -> int:
    """How many lines a file has."""
    count = 0
    with suppress(OSError), file.open("rb") as opened:
        while chunk := opened.read(1024 * 1024):
            count += chunk.count(b"\n")
    return count


def _parse(raw: bytes) -> Line | None:
    at, _, rest = raw.partition(b" ")
    stream, _, text = rest.partition(b" ")
    if not at.isdigit() or stream.lower() not in (b"o", b"e"):
        return None
    return Line(int(at), text.decode(errors="replace"), stream.lower() == b"e")
