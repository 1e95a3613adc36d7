"""Log lines, samples and events of a stack's processes, as they come."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncGenerator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

import psutil

from tui.engine.interface import EngineGone, Event, LogLine, Sample
from tui.engine.process.logfile import Line, LogReader
from tui.engine.process.samples import Sampler
from tui.engine.process.state import ENDED, RUNNING
from tui.engine.process.store import Store
from tui.engine.process.tree import family, listening
from tui.engine.process.watcher import Watcher, heard

SAMPLE_SECONDS = 1.0
GONE = "The engine was closed"


class Streams:
    """Everything that goes on; `closed` ends it."""

    def __init__(self, store: Store, watcher: Watcher) -> None:
        self._store = store
        self._watcher = watcher
        self._sampler = Sampler()
        self.closed = False

    # logs

    async def logs(
        self, replica_id: str, since_ns: int | None, until_ns: int | None, tail: int | None, follow: bool
    ) -> AsyncGenerator[LogLine]:
        """See `Engine.logs`. Following ends when the replica has ended."""
        self._check()
        folder = await asyncio.to_thread(self._store.folder_of, replica_id)
        reader = LogReader(folder)
        try:
            lines = await asyncio.to_thread(reader.start_with, tail)
            while True:
                for line in lines:
                    if until_ns is not None and line.at_ns > until_ns:
                        return
                    if since_ns is None or line.at_ns >= since_ns:
                        yield LogLine(replica_id, line.at_ns, line.text, line.is_error)
                bell = self._watcher.bell() if follow else None
                ended, lines = await asyncio.to_thread(self._more, folder, reader)
                if lines:
                    continue
                if bell is None or ended:
                    return
                await heard(bell)
                self._check()
        finally:
            reader.close()

    def _more(self, folder: Path, reader: LogReader) -> tuple[bool, list[Line]]:
        """Whether the replica has ended, and what is new. In this order: an ended one's lines are all there."""
        ended = not folder.exists() or self._store.state(folder).get("state") == ENDED
        return ended, reader.more()

    # samples

    async def stats(self, replica_id: str) -> AsyncGenerator[Sample]:
        """See `Engine.stats`."""
        self._check()
        folder = await asyncio.to_thread(self._store.folder_of, replica_id)
        try:
            while not self.closed:
                roots, sample = await asyncio.to_thread(self._look, folder, replica_id)
                if not roots:
                    return
                if sample is not None:
                    yield sample
                await asyncio.sleep(SAMPLE_SECONDS)
            self._check()
        finally:
            self._sampler.forget(replica_id)

    def _look(self, folder: Path, replica_id: str) -> tuple[list[int], Sample | None]:
        roots = self._roots(folder)
        return roots, self._sampler.sample(replica_id, roots) if roots else None

    def _roots(self, folder: Path) -> list[int]:
        """The process, and what became its keeper's."""
        state = self._store.state(folder)
        if state.get("state") != RUNNING or not state.get("child"):
            return []
        return [int(state["child"]), *(self._sampler.children(state["keeper"]) if state.get("keeper") else ())]

    def processes(self, folder: Path) -> list[list[str]]:
        """See `Engine.processes`."""
        rows = [["PID", "USER", "RSS", "ELAPSED", "COMMAND"]]
        now = datetime.now(UTC).timestamp()
        for process in self._sampler.family(self._roots(folder)):
            with suppress(psutil.Error):
                elapsed = int(now - process.create_time())
                size = process.memory_info().rss // 1024
                command = " ".join(process.cmdline()) or process.name()
                rows.append([str(process.pid), process.username(), str(size), str(elapsed), command])
        return rows

    def listens(self, folder: Path, port: int) -> bool:
        """Whether a replica listens on a TCP port of this machine."""
        return port in (listening(family(self._roots(folder))) or ())

    # events

    def events(self) -> AsyncGenerator[Event]:
        """See `Engine.events`: from this call on."""
        reader = _EventReader(self._store.folder / "replicas" / "events")
        # From now on somebody looks out.
        self._watcher.bell()
        return self._events(reader, self._store.unseen())

    async def _events(self, reader: _EventReader, told: set[tuple[str, str]]) -> AsyncGenerator[Event]:
        try:
            while True:
                bell = self._watcher.bell()
                self._check()
                for event in reader.more():
                    yield event
                unseen = await asyncio.to_thread(self._store.unseen)
                for service, replica_id in unseen - told:
                    yield Event(datetime.now(UTC), "ended", service, replica_id, "exit code unknown")
                told = unseen
                await heard(bell)
        finally:
            reader.close()

    def _check(self) -> None:
        if self.closed:
            raise EngineGone(GONE)


class _EventReader:
    """Reads what is appended to a file that may be replaced or not be there yet."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._open: BinaryIO | None = None
        self._rest = b""
        with suppress(OSError):
            self._open = file.open("rb")
            self._open.seek(0, os.SEEK_END)

    def close(self) -> None:
        """Gives the file back."""
        if self._open is not None:
            self._open.close()
            self._open = None

    def more(self) -> list[Event]:
        """What was appended since."""
        found = self._read()
        with suppress(OSError):
            if self._open is None or os.fstat(self._open.fileno()).st_ino != self._file.stat().st_ino:
                found += self._read()
                self.close()
                self._rest = b""
                self._open = self._file.open("rb")
                found += self._read()
        return found

    def _read(self) -> list[Event]:
        if self._open is None:
            return []
        whole, end, rest = (self._rest + self._open.read()).rpartition(b"\n")
        self._rest = rest
        events = []
        for line in whole.split(b"\n") if end else ():
            with suppress(ValueError, KeyError, TypeError):
                entry = json.loads(line)
                at = datetime.fromtimestamp(entry["at"], UTC)
                events.append(Event(at, entry["kind"], entry["service"], entry["id"], entry["detail"]))
        return events
