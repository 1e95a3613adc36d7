"""Log lines of several services in one stream, over restarts and outages, without a lost or doubled line."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass, replace
from heapq import heapify, heappop, heapreplace
from itertools import chain

from tui.engine.interface import Engine, EngineError, EngineGone, LogLine, Replica, State
from tui.watch.entries import row_of
from tui.watch.outlast import Outlast
from tui.watch.seam import Bookmark

# How many lines of each replica may wait for a slow reader.
WAITING_LINES = 5_000
GOING_ON = (State.RUNNING, State.PAUSED, State.RESTARTING)


@dataclass(frozen=True, slots=True)
class Tagged:
    """A line with the replica that wrote it; `skipped` lines of it were left out before this one."""

    replica: Replica
    line: LogLine
    skipped: int = 0


async def recent(
    engine: Engine, replicas: Sequence[Replica], tail: int | None, told: Callable[[str], None]
) -> AsyncGenerator[Tagged]:
    """The last `tail` lines (None: all) of each of these replicas, together in the order of their times.

    Streamed: of every log one line is held. `told` hears why a replica has none. Raises EngineGone.
    """

    async def following(place: int) -> LogLine | None:
        try:
            return await anext(logs[place], None)
        except EngineGone:
            raise
        except EngineError as error:
            told(f"{replicas[place].name}: {error}")
            return None

    async with AsyncExitStack() as stack:
        waiting: list[tuple[int, int, LogLine]] = []
        logs = [await stack.enter_async_context(aclosing(engine.logs(one.id, tail=tail))) for one in replicas]
        for place in range(len(logs)):
            if (line := await following(place)) is not None:
                waiting.append((line.at_ns, place, line))
        heapify(waiting)
        while waiting:
            _, place, line = waiting[0]
            yield Tagged(replicas[place], line)
            if (line := await following(place)) is None:
                heappop(waiting)
            else:
                heapreplace(waiting, (line.at_ns, place, line))


class _Flow:
    """What one replica wrote and nobody has taken yet."""

    def __init__(self, replica: Replica, changed: asyncio.Event, skip: bool) -> None:
        self.replica = replica
        self.place = Bookmark()
        self.task: asyncio.Task[None] | None = None
        self.is_over = False
        self._lines: deque[Tagged] = deque()
        self._skipped = 0
        self._skip = skip
        self._room = asyncio.Event()
        self._changed = changed

    async def put(self, line: LogLine) -> None:
        if len(self._lines) >= WAITING_LINES:
            # Whoever takes them has a turn first; a log that is read from memory would never give it one.
            await asyncio.sleep(0)
            while len(self._lines) >= WAITING_LINES and not self._skip:
                self._room.clear()
                await self._room.wait()
            if len(self._lines) >= WAITING_LINES:
                self._lines.popleft()
                self._skipped += 1
        self._lines.append(Tagged(self.replica, line))
        self._changed.set()

    def take(self) -> list[Tagged]:
        taken = list(self._lines)
        if self._skipped:
            taken[0] = replace(taken[0], skipped=self._skipped)
        self._skipped = 0
        self._lines.clear()
        self._room.set()
        return taken


async def follow(
    engine: Engine, wanted: Callable[[Replica], bool], tail: int | None, outlast: Outlast, *, skip: bool = False
) -> AsyncGenerator[list[Tagged]]:
    """The last `tail` lines of every wanted replica, then new lines as they come; each replica has its turn.

    A replica that is restarted goes on where it was, as after an outage; one that is created later joins with its
    first line. Ends when all that were followed are gone, or are runs that have ended. A reader that is too slow makes
    the logs wait, or with `skip` misses the oldest lines, which are counted. Raises EngineError.
    """
    flows: dict[str, _Flow] = {}
    changed = asyncio.Event()

    def flow_of(replica: Replica) -> _Flow:
        return flows.setdefault(replica.id, _Flow(replica, changed, skip))

    said: set[str] = set()

    def complain(text: str) -> None:
        if text not in said:
            said.add(text)
            outlast.told(text)

    async def read(flow: _Flow) -> None:
        async def once() -> bool | None:
            trouble = ""
            try:
                logs = engine.logs(flow.replica.id, since_ns=flow.place.again(), follow=True)
                async with aclosing(logs) as lines:
                    async for line in lines:
                        if flow.place.is_new(row_of(line)):
                            await flow.put(line)
            except EngineGone:
                raise
            except EngineError as error:
                trouble = str(error)
            # The stream may end after the replica was started again; nobody else would take it up then.
            now = await outlast.find(flow.replica.id)
            if trouble and now is not None:
                complain(f"{flow.replica.name}: {trouble}")
            flow.is_over = now is None or (now.is_run and now.state is State.ENDED)
            return now is None or now.state not in GOING_ON or None

        await outlast.until(once)

    def start(flow: _Flow) -> None:
        flow.task = asyncio.create_task(read(flow), name=f"log-{flow.replica.name}")
        flow.task.add_done_callback(lambda _: changed.set())

    async def attach() -> None:
        found = {one.id: one for one in await engine.replicas() if wanted(one)}
        for replica in found.values():
            flow = flow_of(replica)
            if flow.task is None or (flow.task.done() and replica.state in GOING_ON):
                start(flow)
        for flow in flows.values():
            if flow.replica.id not in found and flow.task is not None and flow.task.done() and not flow.is_over:
                flow.is_over = await outlast.find(flow.replica.id) is None
                changed.set()

    async def listen() -> bool | None:
        async with aclosing(engine.events()) as events:
            await attach()
            async for event in events:
                if event.kind in ("created", "started", "removed"):
                    await attach()
        return None

    chosen = [one for one in await engine.replicas() if wanted(one)]
    # Where no line is asked for, the last one tells from where on all is new.
    async with aclosing(recent(engine, chosen, tail or (1 if tail == 0 else None), complain)) as entries:
        async for entry in entries:
            if flow_of(entry.replica).place.is_new(row_of(entry.line)) and tail != 0:
                yield [entry]
    attendant = asyncio.create_task(outlast.until(listen), name="log-attendant")
    attendant.add_done_callback(lambda _: changed.set())
    try:
        while True:
            await changed.wait()
            changed.clear()
            tasks = [attendant, *(flow.task for flow in flows.values() if flow.task is not None)]
            is_over = all(flow.task is not None and flow.task.done() and flow.is_over for flow in flows.values())
            if taken := sorted(chain.from_iterable(flow.take() for flow in flows.values()), key=_time):
                yield taken
            for task in tasks:
                if task.done():
                    await task
            if is_over and flows:
                return
    finally:
        tasks = [attendant, *(flow.task for flow in flows.values() if flow.task is not None)]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _time(entry: Tagged) -> int:
    return entry.line.at_ns
