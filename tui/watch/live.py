"""The live state of one stack: what screens, `status --watch`, tests and the benchmark read.

Everything here runs on one event loop and never blocks it. Nobody is called back per line or per sample: readers
compare counters (`version`, `LogRing.total`, `Samples.total`) on their own tick and read what is new.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from tui.clients.http import ClientError
from tui.clients.spark_master import MasterClient, MasterState
from tui.engine.interface import Engine, EngineError, EngineGone, Event, Replica
from tui.stack.model import Project, Stack
from tui.watch import host
from tui.watch.cluster import Cluster, Workers
from tui.watch.entries import LogEntry
from tui.watch.follower import TAIL, Follower
from tui.watch.host import Host
from tui.watch.links import master_url
from tui.watch.live_links import Links
from tui.watch.log_ring import LogRing
from tui.watch.outlast import SURE_SECONDS
from tui.watch.panes import Pane, make
from tui.watch.places import in_order, pane_name, placed, service_of
from tui.watch.role_lines import RoleLines
from tui.watch.samples import Samples
from tui.watch.scene import Condition, Scene
from tui.watch.supervise import OURS, Supervisor, described
from tui.watch.words import UNKNOWN

__all__ = ["Host", "LogEntry", "LogRing", "Outage", "Pane", "Samples", "StackWatch"]

# One look for a burst of events; a safety look in case one was missed, or to make sure of what one look missed.
# Seconds.
DEBOUNCE = 0.1
LOOK_AGAIN = 30.0
# The longer a look takes, the rarer they are: at most this part of the time.
BUSY = 0.2
MASTER_SECONDS = 2.0
HOST_SECONDS = 2.0
# Of how many replicas it is kept how they ended until their logs say so.
ENDS = 1000


@dataclass(frozen=True, slots=True)
class Outage:
    """Nothing is heard of the engine: since when, its own words, and when it is tried again. `ours`: it may answer,
    but a part of SparkDeck failed."""

    since: datetime
    text: str
    retry_at: datetime
    ours: bool = False


class StackWatch:
    """`StackWatch(engine, stack, project)`; `await start()`, then read; `await close()` ends every task.

    `panes` in the project's order, runs last (newest first); `version` changes with the set of panes, the master's
    state, the outage. During an outage every word is `unknown`, replicas and samples stay as they were last seen.
    Every task is supervised: what it feeds is unknown from its failure on, until it is well again.
    """

    def __init__(self, engine: Engine, stack: Stack, project: Project) -> None:
        self.version = 0
        self.panes: Mapping[str, Pane] = {}
        self.cluster = Cluster()
        self.outage: Outage | None = None
        self.host: Host = host.NOTHING_YET
        self.supervisor = Supervisor()
        self._engine = engine
        self._stack = stack
        self._project = project
        self._replicas: list[Replica] = []
        self._followers: dict[str, Follower] = {}
        self._attended: frozenset[str] = frozenset()
        self._ends: dict[str, str] = {}
        self._removed: set[str] = set()
        self._missed: set[str] = set()
        self._started = False
        # Looks: how many were asked for, which of these was tried and which succeeded last.
        self._asked = self._tried = self._done = 0
        self._dirty = asyncio.Event()
        self._bell = asyncio.Event()
        self._workers = Workers(engine, stack, project)
        self._links = Links(engine, stack, project)
        self._lines = RoleLines(engine, stack, project, self.supervisor, self._show)
        self._place({})

    @property
    def spark(self) -> MasterState | None:
        """What the Spark master says; None where there is none or it does not answer."""
        return self.cluster.state

    async def start(self) -> None:
        """Begins to watch; returns at once, with panes that are still unknown."""
        host.begin()
        keep = self.supervisor.keep
        keep("the watch of the engine", self._keep_up, self._lose, expected=EngineError)
        keep("the watch of the Spark master", self._ask_master, self._lose_master, expected=EngineError)
        keep("the watch of this machine", self._look_at_host, self._lose_host)
        keep("the links", self._links.keep, self._links.forget, expected=EngineError)
        self._started = True
        for key, follower in self._followers.items():
            follower.start(key)

    async def close(self) -> None:
        """Ends every stream and task."""
        await self.supervisor.close()
        self._followers = {}

    def renew(self, stack: Stack, project: Project) -> None:
        """Goes on with what the stack's files say now; what is shown of a service stays with it."""
        self._stack, self._project = stack, project
        for part in (self._workers, self._links, self._lines):
            part.renew(stack, project)
        self._place(placed(self._replicas))
        for pane in self.panes.values():
            pane.renew(stack, project)
        self._show()

    def attend(self, keys: Sequence[str]) -> None:
        """Says whom somebody looks at. All logs are followed; of runs that ended only now, and samples only now."""
        self._attended = frozenset(keys)
        for key, follower in self._followers.items():
            follower.attend(key in self._attended)
        self._tell_attended()

    def _tell_attended(self) -> None:
        seen = [self.panes[key].replica for key in self._attended if key in self.panes]
        self._engine.attend([replica.id for replica in seen if replica is not None])

    async def refresh(self) -> None:
        """Looks again at once; during an outage, tries the engine at once. Returns when that was done."""
        asked = self._ask()
        self.supervisor.hurry()
        while self._tried < asked:
            await self._bell.wait()

    async def _look(self) -> None:
        """Waits until the engine has been looked at again and is sure of what it missed, however long that takes."""
        asked = self._ask()
        while self._done < asked or self._missed:
            await self._bell.wait()

    def _ask(self) -> int:
        self._asked += 1
        self._dirty.set()
        return self._asked

    async def _keep_up(self) -> None:
        # Listening begins before the first look, so that nothing falls between the two.
        async with aclosing(self._engine.events()) as events:
            await self._pass()
            await self._stay(events)

    async def _stay(self, events: AsyncGenerator[Event]) -> None:
        """Looks once after every burst of events. Raises EngineError when the engine is gone."""
        pump = asyncio.create_task(self._pump(events), name="watch-events")
        took = 0.0
        try:
            while True:
                with suppress(TimeoutError):
                    async with asyncio.timeout(SURE_SECONDS if self._missed else LOOK_AGAIN):
                        await self._dirty.wait()
                if not pump.done():
                    await asyncio.sleep(max(DEBOUNCE, took * (1 / BUSY - 1)))
                if pump.done():
                    await pump
                    raise EngineGone("The engine ended its stream of events.")
                began = time.monotonic()
                await self._pass()
                took = time.monotonic() - began
        finally:
            pump.cancel()
            await asyncio.gather(pump, return_exceptions=True)

    async def _pump(self, events: AsyncGenerator[Event]) -> None:
        try:
            async for event in events:
                if event.kind == "ended":
                    memory = ", out of memory" if self._ends.get(event.replica_id) == "out of memory" else ""
                    self._ends[event.replica_id] = f"ended with {event.detail}{memory}"
                elif event.kind == "removed":
                    self._removed.add(event.replica_id)
                elif event.kind == "out-of-memory":
                    self._ends[event.replica_id] = "out of memory"
                if len(self._ends) > ENDS:
                    del self._ends[next(iter(self._ends))]
                self._dirty.set()
        finally:
            self._dirty.set()

    async def _pass(self) -> None:
        asked = self._asked
        self._dirty.clear()
        self._replicas = self._made_sure(await self._engine.replicas())
        cluster = self._workers.join(self._replicas, self.spark)
        if cluster != self.cluster:
            self.cluster = cluster
            self.version += 1
        if self.outage is not None:
            self.outage = None
            self.version += 1
        here = placed(self._replicas)
        self._place(here)
        for key, pane in self.panes.items():
            replica = here.get(key)
            if pane.replica != replica:
                pane.replica = replica
                pane.version += 1
            self._followers[key].update(replica)
        self._tell_attended()
        self._show()
        self._tried = self._done = asked
        self._ring()

    def _made_sure(self, found: list[Replica]) -> list[Replica]:
        """What was found, and what only one look has missed: it is gone when an event or the next look says so."""
        here = {one.id for one in found}
        missed = {one.id for one in self._replicas} - here - self._removed
        doubted, self._missed = missed - self._missed, missed - self._missed
        self._removed &= here
        return [*found, *(one for one in self._replicas if one.id in doubted)]

    def _lose(self, error: Exception, pause: float) -> None:
        now = datetime.now(UTC)
        since = self.outage.since if self.outage else now
        ours = not isinstance(error, EngineError)
        text = f"{OURS}: {described(error)}" if ours else str(error)
        self.outage = Outage(since, text, now + timedelta(seconds=pause), ours)
        self.version += 1
        self._tried = self._asked
        self._ring()
        self._show()

    def _place(self, here: Mapping[str, Replica]) -> None:
        """Makes the panes that are missing and ends those whose place is gone."""
        keys = in_order(self._project, here)
        if keys == list(self.panes):
            return
        panes = {
            key: self.panes.get(key) or make(self._engine, self._stack, self._project, key, here.get(key))
            for key in keys
        }
        for key in self.panes:
            if key not in panes:
                self._followers.pop(key).cancel()
        for key, pane in panes.items():
            if key not in self._followers:
                follower = Follower(self._engine, pane.log, pane.samples, self.supervisor, self._look, self._how_ended)
                follower.attend(key in self._attended)
                self._followers[key] = follower
                if self._started:
                    follower.start(key)
        self.panes = panes
        self.version += 1

    def _show(self) -> None:
        """Works out the words of all panes from the replicas and the Spark master."""
        self._lines.update([] if self.outage else self._replicas)
        says = {one.id: self._lines.of(one, self.cluster) for one in self._replicas}
        scene = Scene(self._stack, self._project, self._replicas, self.cluster, says=says)
        for key, pane in self.panes.items():
            if self.outage is not None:
                reason = OURS if self.outage.ours else "the engine does not answer"
                pane.show(Condition(UNKNOWN, reason), pane.name)
                continue
            replica = pane.replica
            service = replica.service if replica else service_of(key)
            line = says.get(replica.id, "") if replica else ""
            pane.show(scene.condition(service, replica), pane_name(self._project, key, replica), line)
        self._links.update(self.panes.values(), self._replicas, self.cluster.workers)

    def _how_ended(self, replica_id: str) -> str:
        return self._ends.pop(replica_id, "")

    async def _ask_master(self) -> None:
        """Asks the Spark master as long as one runs."""
        client: MasterClient | None = None
        misses = 0
        try:
            while True:
                bell, url = self._bell, None
                with suppress(EngineError):
                    url = (
                        None
                        if self.outage
                        else await master_url(self._engine, self._stack, self._project, self._replicas)
                    )
                if client is not None and client.base_url != url:
                    await client.close()
                    client = None
                if url is None:
                    self._learn(Cluster())
                    await bell.wait()
                    continue
                client = client or MasterClient(url)
                try:
                    self._learn(await self._workers.ask(self._replicas, await client.state()))
                    misses = 0
                except ClientError as error:
                    # Once it may only be busy.
                    misses += 1
                    self._learn(Cluster(silent=str(error) if misses > 1 else ""))
                await asyncio.sleep(MASTER_SECONDS)
        finally:
            if client is not None:
                await client.close()

    def _learn(self, cluster: Cluster) -> None:
        if cluster != self.cluster:
            self.cluster = cluster
            self.version += 1
            self._show()

    def _lose_master(self, error: Exception, pause: float) -> None:
        self._learn(Cluster())

    def _lose_host(self, error: Exception, pause: float) -> None:
        self.host = host.NOTHING_YET

    async def _look_at_host(self) -> None:
        while True:
            await asyncio.sleep(HOST_SECONDS)
            self.host = host.look()
            for pane in self.panes.values():
                pane.log.settle(TAIL)

    def _ring(self) -> None:
        bell, self._bell = self._bell, asyncio.Event()
        bell.set()
