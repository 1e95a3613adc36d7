"""Following a run: what it prints, what its stages do, why it waits, and how it ends."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass, replace

from tui.clients.http import ClientError
from tui.clients.spark_app import RUN_PROPERTY, AppClient, SparkJob
from tui.clients.spark_master import Application, MasterClient, MasterState
from tui.engine.interface import Engine, EngineError, LogLine, Replica, State
from tui.jobs.journal import write_down
from tui.jobs.progress import Pace, RunProgress, run_progress
from tui.jobs.submit import Run, run_of
from tui.jobs.verdict import Verdict, verdict
from tui.stack.model import Project, Stack
from tui.watch.entries import row_of
from tui.watch.links import master_url
from tui.watch.outlast import Outlast
from tui.watch.queued import Queued, QueuedReason, queued_reason
from tui.watch.seam import Bookmark
from tui.watch.supervise import Supervisor

# How often the driver is asked, in seconds (FIELD: small answers, 1 to 2 s), and how much log a verdict looks at.
LOOK_SECONDS = 1.0
TAIL_LINES = 1000
NOT_YET_LOOKS = 10
_GOING_ON = (State.RUNNING, State.CREATED, State.PAUSED)


@dataclass(frozen=True, slots=True)
class Started:
    """The run's application is known to the Spark master; `url` is its page."""

    app_id: str
    url: str


@dataclass(frozen=True, slots=True)
class Ended:
    """The run is over. `exit_code` is None where nobody can know it any more; `tail` is the end of its log."""

    verdict: Verdict
    exit_code: int | None
    seconds: float | None
    tail: tuple[str, ...]


class _Removed(EngineError):
    """Nobody can know any more how the run ended."""


RunUpdate = LogLine | Started | RunProgress | QueuedReason | Ended


class _Application:
    """The run's application behind the Spark master: found once, then asked again and again."""

    def __init__(self, master: str, run: str) -> None:
        self._run = run
        self._master_url = master
        self._master = MasterClient(master)
        self._app: AppClient | None = None
        self._others: set[str] = set()
        self._not_yet = 0
        self._pace = Pace()
        self.jobs: Sequence[SparkJob] = ()

    async def close(self) -> None:
        await self._master.close()
        if self._app is not None:
            await self._app.close()

    async def look(self) -> list[Started | RunProgress | QueuedReason]:
        """What is new; nothing while the driver is not there (yet)."""
        state = await self._master.state()
        updates: list[Started | RunProgress | QueuedReason] = []
        if self._app is None:
            found = await self._find(state)
            if found is None:
                return []
            updates.append(Started(found.id, f"{self._master_url}/proxy/{found.id}/"))
            self._app = AppClient(self._master_url, found.id)
        known = state.application(self._app.app_id)
        reason = queued_reason(state, known) if known else None
        # "Not yet" is true of every application for a moment: worth saying only if it stays so.
        self._not_yet = self._not_yet + 1 if reason and reason.kind is Queued.NOT_YET else 0
        if reason is not None and (reason.kind is not Queued.NOT_YET or self._not_yet > NOT_YET_LOOKS):
            updates.append(reason)
        jobs, stages = await asyncio.gather(self._app.jobs(), self._app.active_stages())
        if jobs is not None:
            self.jobs = jobs
            active = stages or ()
            updates.append(run_progress(jobs, active, self._pace.look(active)))
        return updates

    async def _find(self, state: MasterState) -> Application | None:
        for candidate in state.active:
            if candidate.id in self._others:
                continue
            async with AppClient(self._master_url, candidate.id) as client:
                properties = await client.properties()
            if properties is None:
                continue
            if properties.get(RUN_PROPERTY) == self._run:
                return candidate
            self._others.add(candidate.id)
        return None


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
    url = master_url(stack, project, await outlast.until(engine.replicas))
    application = _Application(url, run.id) if url else None

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
            ended = _ended(replica, application.jobs if application else (), tuple(tail))
            if trouble := await write_down(stack, replace(run_of(replica), verdict=ended.verdict)):
                told(trouble)
            await queue.put(ended)
        except Exception as error:
            await queue.put(error)

    async def look() -> None:
        while application is not None:
            with suppress(ClientError):
                for update in await application.look():
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
        if application is not None:
            await application.close()


def _ended(replica: Replica, jobs: Sequence[SparkJob], tail: tuple[str, ...]) -> Ended:
    seconds = None
    if replica.started_at and replica.ended_at:
        seconds = (replica.ended_at - replica.started_at).total_seconds()
    judged = verdict(replica.exit_code, out_of_memory=replica.out_of_memory, jobs=jobs, log_tail=tail)
    return Ended(judged, replica.exit_code, seconds, tail)
