"""The stack beside the screen: opens its engine and its watch, opens them again, and follows the runs."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from tui.actions.replicas import Chosen
from tui.engine.choose import open_engine
from tui.engine.interface import Capability, EngineError, Replica, State
from tui.jobs.follow import Ended, follow
from tui.jobs.kinds.kind import Started
from tui.jobs.progress import RunProgress
from tui.jobs.submit import run_of
from tui.stack.errors import StackError
from tui.stack.model import Layout, Project, Stack
from tui.watch.foreign import whose
from tui.watch.live import Outage, Pane
from tui.watch.names import short_name
from tui.watch.panes import expected
from tui.watch.queued import QueuedReason
from tui.watch.session import AGAIN_SECONDS, OpenEngine, Session
from tui.watch.supervise import OURS, Failure, Supervisor, described

if TYPE_CHECKING:
    from tui.checks.finding import Finding
    from tui.checks.situation import Situation

# Growing pauses before the engine is tried again, in seconds.
PAUSES = (1, 2, 4, 8, 15, 30)


@dataclass(slots=True)
class RunView:
    """What is known of a run beside its log: progress, why it waits, its page, how it ended."""

    progress: RunProgress | None = None
    waiting: QueuedReason | None = None
    url: str | None = None
    ended: Ended | None = None
    version: int = 0

    def forget(self, error: Exception, pause: float) -> None:
        """After a failure its progress is not known."""
        self.progress = self.waiting = None
        self.version += 1


@dataclass(slots=True)
class Desk:
    """Opens in the background. `ready` is None until the engine has answered; `trouble` says why it has not."""

    stack: Stack
    open_engine: OpenEngine = open_engine
    look: Callable[[Session], Awaitable[None]] = Session.look
    find: Callable[[], Stack] | None = None
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ready: Session | None = None
    trouble: Outage | None = None
    refused: str = ""
    version: int = 0
    runs: dict[str, RunView] = field(default_factory=dict)
    opened_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    supervisor: Supervisor = field(default_factory=Supervisor)
    _followers: set[str] = field(default_factory=set)
    _expected: Mapping[str, Pane] = field(default_factory=dict)
    _unkept: str = ""
    # Asked of every pane several times a tick: looked up once for each service.
    _layout: Layout | None = None
    _places: dict[str, int] = field(default_factory=dict)
    _opened: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self._expected = expected(self.stack)

    def start(self) -> None:
        """Begins to open the engine."""
        self.supervisor.keep("the opening of the stack", self._open, self._lose)

    async def opened(self) -> Session:
        """Waits for the engine."""
        await self._opened.wait()
        assert self.ready is not None
        return self.ready

    async def close(self) -> None:
        """Ends everything that the desk started; the stack goes on."""
        await self.supervisor.close()
        if self.ready is not None:
            await self.ready.close()

    @property
    def outage(self) -> Outage | None:
        """Why nothing is heard of the engine, if so."""
        return self.ready.watch.outage if self.ready else self.trouble

    def lacks(self, capability: Capability) -> str:
        """Why the engine has not got a capability; empty where it has, and while there is no engine yet."""
        return self.ready.engine.lacks(capability) if self.ready else ""

    @property
    def panes(self) -> Mapping[str, Pane]:
        """Every pane of the watch, or the layout's services while it is not there."""
        return self.ready.watch.panes if self.ready else self._expected

    def shown(self) -> list[Pane]:
        """The panes worth showing, in the layout's order, runs last.

        Of the runs those that go on and those that ended while we looked.
        """
        shown = [pane for pane in self.panes.values() if not pane.is_run or self._is_current(pane)]
        return sorted(shown, key=self._place)

    def _place(self, pane: Pane) -> int:
        layout = self.ready.stack.layout if self.ready else self.stack.layout
        if pane.is_run:
            return 1_000_000
        if pane.service is None:
            return 0
        if layout is not self._layout:
            self._layout, self._places = layout, {}
        name = pane.service.name
        if name not in self._places:
            entry = layout.service(name)
            self._places[name] = layout.services.index(entry) if entry in layout.services else len(layout.services)
        return self._places[name]

    def _is_current(self, run: Pane) -> bool:
        replica = run.replica
        if replica is None or replica.state is not State.ENDED:
            return True
        return replica.ended_at is not None and replica.ended_at >= self.opened_at

    def situation(self) -> Situation:
        """What the checks look at now; only once the engine is open."""
        # Only once the engine is open: the first picture does not wait for it.
        from tui.checks.situation import Situation

        assert self.ready is not None
        ready = self.ready
        says = {pane.replica.id: pane.line for pane in self.panes.values() if pane.replica is not None}
        return Situation(ready.stack, ready.project, self.replicas(), ready.watch.cluster, ready.engine.info, says=says)

    def replicas(self) -> list[Replica]:
        """Every replica and run, as last seen."""
        return [pane.replica for pane in self.panes.values() if pane.replica is not None]

    @property
    def failures(self) -> list[Failure]:
        """The parts of SparkDeck that failed."""
        watch = self.ready.watch.supervisor.failures if self.ready else {}
        return [*self.supervisor.failures.values(), *watch.values()]

    def findings(self) -> list[Finding]:
        """What can be told to be wrong without asking anybody."""
        return [*self._beside(), *self._findings()]

    def _beside(self) -> list[Finding]:
        """What no check of the stack sees: our own failures, and files that cannot be read now."""
        stale = self.ready.stale if self.ready else ""
        if not self.failures and not stale:
            return []
        from tui.checks.finding import Finding
        from tui.checks.ourselves import check_ourselves

        remedy = "Mend that; until then the stack is shown as it could be read last."
        return [*check_ourselves(self.failures), *([Finding(stale, remedy)] if stale else [])]

    def _findings(self) -> list[Finding]:
        from tui.checks.finding import Finding

        if self.ready is not None and self.outage is None:
            from tui.checks.moment import check_moment

            unkept = [Finding(self._unkept, "Runs go on; see to that place, or what they did is soon forgotten.")]
            return [*(unkept if self._unkept else ()), *check_moment(self.situation())]
        if self.refused:
            return [Finding(self.refused, "Change that; SparkDeck tries again by itself.")]
        if self.outage is not None and not self.outage.ours:
            remedy = "See that it runs. SparkDeck tries again by itself, and goes on where it was."
            return [Finding(f"The engine does not answer: {self.outage.text}", remedy)]
        return []

    async def check(self) -> list[Finding]:
        """What is wrong, as far as it can be found out. Raises EngineError."""
        if self.ready is None or self.outage is not None:
            return self.findings()
        from tui.checks.everything import check_everything

        return [*self._beside(), *await check_everything(self.ready.engine, self.situation())]

    def whose(self) -> str:
        """Says whose the containers here are that are not this stack's; empty where all are."""
        if self.ready is None:
            return ""
        return whose(self.ready.stack, self.ready.project.name, self.replicas())

    def follow_runs(self) -> None:
        """Follows each run that is shown and not followed yet. Called whenever the panes have changed."""
        if self.ready is None:
            return
        for pane in self.shown():
            if pane.is_run and pane.key not in self._followers and pane.replica is not None:
                self._followers.add(pane.key)
                view = self.runs.setdefault(pane.key, RunView())
                run = partial(self._follow, self.ready, pane, view)
                self.supervisor.keep(f"the run {pane.key}", run, view.forget, expected=EngineError)

    async def _follow(self, ready: Session, pane: Pane, view: RunView) -> None:
        assert pane.replica is not None
        updates = follow(ready.engine, ready.stack, ready.project, run_of(pane.replica), lines=False)
        try:
            async with aclosing(updates):
                async for update in updates:
                    match update:
                        case RunProgress():
                            view.progress, view.waiting = update, None
                        case QueuedReason():
                            view.waiting = update
                        case Started():
                            view.url = update.url
                        case Ended():
                            view.ended, self._unkept = update, update.unkept
                        case _:
                            continue
                    view.version += 1
        except EngineError:
            # It is followed again for as long as it is there.
            if pane.key in self.panes:
                raise

    def _lose(self, error: Exception, pause: float) -> None:
        self.trouble = Outage(self.now(), f"{OURS}: {described(error)}", self.now() + timedelta(seconds=pause), True)
        self.version += 1

    async def _open(self) -> None:
        attempt = 0
        since = self.now()
        while True:
            try:
                session = await Session.open(self.find or (lambda: self.stack), self.open_engine)
                await self.look(session)
                self.ready, self.trouble, self.refused = session, None, ""
                self.version += 1
                self._opened.set()
                return
            except StackError as error:
                self.refused = str(error)
                self.version += 1
                await asyncio.sleep(AGAIN_SECONDS)
            except (EngineError, OSError) as error:
                pause = PAUSES[min(attempt, len(PAUSES) - 1)]
                attempt += 1
                self.trouble = Outage(since, str(error), self.now() + timedelta(seconds=pause))
                self.version += 1
                await asyncio.sleep(pause)


def chosen_of(panes: Sequence[Pane], every: Iterable[Pane], project: Project) -> Chosen:
    """What panes stand for: the service, or one replica of a service that has several among `every` pane."""
    places = Counter(pane.service.name for pane in every if pane.service is not None and not pane.is_run)
    services, replicas = [], []
    for pane in panes:
        if pane.is_run:
            continue
        name = pane.service.name if pane.service else ""
        if name and (pane.replica is None or (places[name] == 1 and short_name(pane.replica, project) == name)):
            services.append(name)
        elif pane.replica is not None:
            replicas.append(pane.replica)
    return Chosen(tuple(dict.fromkeys(services)), tuple(one for one in replicas if one.service not in services))


def services_of(panes: Sequence[Pane]) -> list[str]:
    """The services of panes, each once, in their order."""
    return list(dict.fromkeys(pane.service.name for pane in panes if pane.service is not None and not pane.is_run))
