"""One look-out over the folder of a stack's replicas: who waits for something to change is told when it did."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from watchfiles import awatch

# What changes within so many milliseconds is told of once.
TOGETHER = 50
# A safety net, in seconds: not every file system tells of changes, and a killed process writes nothing.
LOOK_AGAIN = 1.0
# How soon a folder that is not there (yet) is looked for again.
AGAIN = 0.1


class Watcher:
    """Starts with the first who waits; ends with `close`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._bell = asyncio.Event()
        self._stop = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def bell(self) -> asyncio.Event:
        """An event that is set with the next change: take it before looking, wait for it afterwards."""
        if self._task is None and not self._stop.is_set():
            self._task = asyncio.create_task(self._watch(), name="process-watch")
        return self._bell

    def ring(self) -> None:
        """Something was changed by ourselves."""
        bell, self._bell = self._bell, asyncio.Event()
        bell.set()

    async def close(self) -> None:
        """Wakes everybody up and ends."""
        self._stop.set()
        self.ring()
        if self._task is not None:
            await asyncio.gather(self._task, return_exceptions=True)

    async def _watch(self) -> None:
        while not self._stop.is_set():
            # Held open, so that a folder that is made anew is known for another one.
            with suppress(OSError, RuntimeError), _opened(self._folder) as handle:
                changes = awatch(
                    self._folder, watch_filter=None, stop_event=self._stop, debounce=TOGETHER, step=TOGETHER // 2
                )
                async for _ in changes:
                    self.ring()
                    if not os.path.samestat(os.fstat(handle), self._folder.stat()):
                        break
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stop.wait(), AGAIN)
            self.ring()


@contextmanager
def _opened(folder: Path) -> Iterator[int]:
    handle = os.open(folder, os.O_RDONLY)
    try:
        yield handle
    finally:
        os.close(handle)


async def heard(bell: asyncio.Event) -> None:
    """Waits for a change, or a second."""
    with suppress(TimeoutError):
        # Not wait_for: before Python 3.12 it loses a cancellation that comes together with the change.
        async with asyncio.timeout(LOOK_AGAIN):
            await bell.wait()
