"""Following a run: what it prints, what its stages do, why it waits, and how it ends."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass, replace

from tui.clients.http import ClientError
from tui.clients.spark_app import SparkJob
from tui.engine.interface import Engine, EngineError, LogLine, Replica, State
from tui.jobs.journal import write_down
from tui.jobs.kinds import kind_of
from tui.jobs.kinds.kind import Observer, Seen
from tui.jobs.submit import Run, run_of
from tui.jobs.verdict import Verdict, verdict
from tui.stack.model import Project, Stack
from tui.watch.entries import row_of
from tui.watch.outlast import Outlast
from tui.watch.seam import Bookmark
from tui.watch.supervise import Supervisor

# How often the driver is asked, in seconds (FIELD: small answers, 1 to 2 s), and how much log a verdict looks at.
LOOK_SECONDS = 1.0
TAIL_LINES = 1000
_GOING_ON = (State.RUNNING, State.CREATED, State.PAUSED)


@dataclass(frozen=True, slots=True)
class Ended:
    """The run is over. `exit_code` is None where nobody can know it any more; `tail` is the end of its log; `unkept`
    says why the history has not got it, if so."""

    verdict: Verdict
    exit_code: int | None
    seconds: float | None
    tail: tuple[str, ...]
    unkept: str = ""


class _Removed(EngineError):
    """Nobody can know any more how the run ended."""


RunUpdate = LogLine | Seen | Ended


async def follow(
    engine: Engine,
    stack: Stack,
    project: Project,
    run: Run,
    *,
    lines: bool = True,
    told: Callable[[str], None] = lambda text: None,
) -> AsyncGenerator[RunUpdate]:
    """Everything of a run from its beginning to its end, the last update being Ended. Without `lines` its log is
    only read when it has ended, for somebody who has it already.

    Works for a run that goes on and for one that ended long ago. Closing it leaves the run alone. While the engine is
    away it waits, and goes on where it was; `told` hears of that. Raises EngineError when the run was removed.
    """
    queue: asyncio.Queue[RunUpdate | Exception] = asyncio.Queue(1000)
    tail: deque[str] = deque(maxlen=TAIL_LINES)
    outlast = Outlast(engine, told)

    async def observed() -> tuple[Observer | None]:
        return (await kind_of(run.replica).observe(engine, stack, project, await engine.replicas(), run.replica),)

    (observer,) = await outlast.until(observed)

    async def over() -> Replica | None:
        replica = await outlast.find(run.replica.id)
        if replica is None:
            raise _Removed(f"The run {run.id} was removed while it was followed; how it ended is not known.")
        return None if replica.state in _GOING_ON else replica

    bookmark = Bookmark()

    async def read() -> Replica | None:
        # A stream that ends before the run does is taken up where it stopped.
        last = None if lines else TAIL_LINES
        stream = engine.logs(run.replica.id, since_ns=bookmark.again(), tail=last, follow=lines)
        async with aclosing(stream) as log:
            async for line in log:
                if bookmark.is_new(row_of(line)):
                    tail.append(line.text)
                    if lines:
                        await queue.put(line)
        return await over()

    async def wait() -> Replica | None:
        # Events are heard from this call on, so that none is missed while the engine is asked.
        async with aclosing(engine.events()) as events:
            if replica := await over():
                return replica
            async for event in events:
                if event.replica_id == run.replica.id and (replica := await over()):
                    return replica
        return None

    async def end() -> None:
        try:
            try:
                if not lines:
                    await outlast.until(wait)
                replica = await outlast.until(read)
            except _Removed:
                raise
            except EngineError as error:
                # A log that cannot be read hides how it went, not how it ended.
                told(str(error))
                replica = await outlast.until(wait)
            ended = _ended(replica, observer.jobs if observer else (), tuple(tail))
            unkept = await write_down(stack, replace(run_of(replica), verdict=ended.verdict))
            await queue.put(replace(ended, unkept=unkept))
        except Exception as error:
            await queue.put(error)

    async def look() -> None:
        while observer is not None:
            with suppress(ClientError, EngineError):
                for update in await observer.look():
                    await queue.put(update)
            await asyncio.sleep(LOOK_SECONDS)

    watchers = Supervisor()
    watchers.keep(f"the progress of {run.id}", look)
    watchers.keep(f"the end of {run.id}", end)
    try:
        while True:
            update = await queue.get()
            if isinstance(update, Exception):
                raise update
            yield update
            if isinstance(update, Ended):
                return
    finally:
        await watchers.close()
        if observer is not None:
            await observer.close()


def _ended(replica: Replica, jobs: Sequence[SparkJob], tail: tuple[str, ...]) -> Ended:
    seconds = None
    if replica.started_at and replica.ended_at:
        seconds = (replica.ended_at - replica.started_at).total_seconds()
    judged = verdict(replica.exit_code, out_of_memory=replica.out_of_memory, jobs=jobs, log_tail=tail)
    return Ended(judged, replica.exit_code, seconds, tail)
