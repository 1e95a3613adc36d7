"""Log lines of several services in one stream, over restarts, without a lost or doubled line."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass
from heapq import heapify, heappop, heapreplace

from tui.engine.interface import Engine, EngineError, LogLine, Replica, State
from tui.watch.entries import row_of
from tui.watch.seam import Bookmark

# How many lines may wait for a slow reader before the engine is made to wait too.
QUEUE_LINES = 4096
# Before a stream is taken up again whose replica still runs.
PAUSE_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Tagged:
    """A line with the replica that wrote it."""

    replica: Replica
    line: LogLine


async def recent(engine: Engine, replicas: Sequence[Replica], tail: int | None) -> AsyncGenerator[Tagged]:
    """The last `tail` lines (None: all) of each of these replicas, together in the order of their times.

    Streamed: of every log one line is held. Raises EngineError.
    """
    async with AsyncExitStack() as stack:
        waiting: list[tuple[int, int, LogLine]] = []
        logs = [await stack.enter_async_context(aclosing(engine.logs(one.id, tail=tail))) for one in replicas]
        for place, lines in enumerate(logs):
            if (line := await anext(lines, None)) is not None:
                waiting.append((line.at_ns, place, line))
        heapify(waiting)
        while waiting:
            _, place, line = waiting[0]
            yield Tagged(replicas[place], line)
            following = await anext(logs[place], None)
            if following is None:
                heappop(waiting)
            else:
                heapreplace(waiting, (following.at_ns, place, following))


async def follow(engine: Engine, wanted: Callable[[Replica], bool], tail: int | None) -> AsyncGenerator[Tagged]:
    """The last `tail` lines of every wanted replica, then new lines as they come, until closed.

    A replica that is restarted goes on where it was; one that is created later joins with its first line.
    Raises EngineError when the engine is gone.
    """
    queue: asyncio.Queue[Tagged | Exception] = asyncio.Queue(QUEUE_LINES)
    places: dict[str, Bookmark] = {}
    readers: dict[str, asyncio.Task[None]] = {}

    async def read(replica: Replica, place: Bookmark) -> None:
        try:
            while True:
                logs = engine.logs(replica.id, since_ns=place.again(), follow=True)
                async with aclosing(logs) as lines:
                    async for line in lines:
                        if place.is_new(row_of(line)):
                            await queue.put(Tagged(replica, line))
                # The stream may end after the replica was started again; nobody else would take it up then.
                if not any(one.id == replica.id and one.state is State.RUNNING for one in await engine.replicas()):
                    return
                await asyncio.sleep(PAUSE_SECONDS)
        except EngineError as error:
            await queue.put(error)

    async def attach() -> None:
        for replica in await engine.replicas():
            reader = readers.get(replica.id)
            ended = replica.state not in (State.RUNNING, State.RESTARTING) and replica.id in places
            if wanted(replica) and not ended and (reader is None or reader.done()):
                place = places.setdefault(replica.id, Bookmark())
                readers[replica.id] = asyncio.create_task(read(replica, place), name=f"log-{replica.name}")

    async def attend() -> None:
        try:
            async with aclosing(engine.events()) as events:
                async for event in events:
                    if event.kind in ("created", "started"):
                        await attach()
        except EngineError as error:
            await queue.put(error)

    chosen = [item for item in await engine.replicas() if wanted(item)]
    async with aclosing(recent(engine, chosen, tail)) as entries:
        async for entry in entries:
            if places.setdefault(entry.replica.id, Bookmark()).is_new(row_of(entry.line)):
                yield entry
    attendant = asyncio.create_task(attend(), name="log-attendant")
    try:
        for replica in await engine.replicas():
            if wanted(replica):
                place = places.setdefault(replica.id, Bookmark())
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
