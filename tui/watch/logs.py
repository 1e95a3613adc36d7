"""Log lines of several services in one stream, over restarts, without a lost or doubled line."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from tui.engine.interface import Engine, EngineError, LogLine, Replica, State

# How many lines may wait for a slow reader before the engine is made to wait too.
QUEUE_LINES = 4096


@dataclass(frozen=True, slots=True)
class Tagged:
    """A line with the replica that wrote it."""

    replica: Replica
    line: LogLine


class Resume:
    """The place in one replica's log from which to go on: after all lines seen, also those of the same instant."""

    def __init__(self) -> None:
        self.at_ns: int | None = None
        self._seen = 0
        self._skip = 0

    def again(self) -> int | None:
        """Where a new stream must start (inclusive); the lines of that instant that were seen will be skipped."""
        self._skip = self._seen
        return self.at_ns

    def is_new(self, line: LogLine) -> bool:
        """Whether this line was not seen before; it is seen from now on."""
        if line.at_ns == self.at_ns:
            if self._skip > 0:
                self._skip -= 1
                return False
            self._seen += 1
        else:
            self.at_ns, self._seen, self._skip = line.at_ns, 1, 0
        return True


async def recent(engine: Engine, replicas: Sequence[Replica], tail: int | None) -> list[Tagged]:
    """The last `tail` lines (None: all) of each of these replicas, together in the order of their times."""

    async def read(replica: Replica) -> list[Tagged]:
        async with aclosing(engine.logs(replica.id, tail=tail)) as lines:
            return [Tagged(replica, line) async for line in lines]

    read_all = await asyncio.gather(*(read(replica) for replica in replicas))
    return sorted((entry for lines in read_all for entry in lines), key=lambda entry: entry.line.at_ns)


async def follow(engine: Engine, wanted: Callable[[Replica], bool], tail: int | None) -> AsyncGenerator[Tagged]:
    """The last `tail` lines of every wanted replica, then new lines as they come, until closed.

    A replica that is restarted goes on where it was; one that is created later joins with its first line.
    Raises EngineError when the engine is gone.
    """
    queue: asyncio.Queue[Tagged | Exception] = asyncio.Queue(QUEUE_LINES)
    places: dict[str, Resume] = {}
    readers: dict[str, asyncio.Task[None]] = {}

    async def read(replica: Replica, place: Resume) -> None:
        since = place.again()
        try:
            async with aclosing(engine.logs(replica.id, since_ns=since, follow=True)) as lines:
                async for line in lines:
                    if place.is_new(line):
                        await queue.put(Tagged(replica, line))
        except EngineError as error:
            await queue.put(error)

    async def attach() -> None:
        for replica in await engine.replicas():
            reader = readers.get(replica.id)
            ended = replica.state not in (State.RUNNING, State.RESTARTING) and replica.id in places
            if wanted(replica) and not ended and (reader is None or reader.done()):
                place = places.setdefault(replica.id, Resume())
                readers[replica.id] = asyncio.create_task(read(replica, place), name=f"log-{replica.name}")

    async def attend() -> None:
        try:
            async with aclosing(engine.events()) as events:
                async for event in events:
                    if event.kind in ("created", "started"):
                        await attach()
        except EngineError as error:
            await queue.put(error)

    for entry in await recent(engine, [item for item in await engine.replicas() if wanted(item)], tail):
        if places.setdefault(entry.replica.id, Resume()).is_new(entry.line):
            yield entry
    attendant = asyncio.create_task(attend(), name="log-attendant")
    try:
        for replica in await engine.replicas():
            if wanted(replica):
                place = places.setdefault(replica.id, Resume())
                readers[replica.id] = asyncio.create_task(read(replica, place), name=f"log-{replica.name}")
        while True:
            item = await queue.get()
            if isinstance(item, Exception):
                raise item
            yield item
    finally:
        tasks = [attendant, *readers.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
