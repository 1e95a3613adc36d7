"""The Spark master's own view of the cluster, joined with the engine's view of its services.

A worker registers under a name of its own choice: the container's address, what SPARK_LOCAL_HOSTNAME or `--host`
say, a name that all share. So several signals tell which replica it is, and where they do not, that is unknown.
"""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from datetime import datetime
from urllib.parse import urlsplit

from tui.clients.http import ClientError
from tui.clients.spark_master import MasterClient, MasterState, Worker
from tui.engine.interface import Engine, EngineError, EngineGone, Reach, Replica, State
from tui.stack.model import Project, Role, Service, Stack
from tui.watch.links import master_url

# Of a worker's log, from its start on, so many lines are read for the place where it says it listens.
FIRST_LINES = 300
# A master that does not answer is asked again after so long, in seconds: it may only be busy.
AGAIN_SECONDS = 1.0
_STARTS = re.compile(r"Starting Spark worker (\S+):(\d{1,5})\b")
# Names that are said of any machine tell none from another.
_ANYWHERE = {"", "0.0.0.0", "::", "127.0.0.1", "::1", "localhost"}
_NAMED = re.compile(r"(?:^|\s)(?:--host|-h|--ip|-i)[ =]([^\s;&|\"']+)")
_NAMES = ("SPARK_LOCAL_HOSTNAME", "SPARK_LOCAL_IP", "SPARK_WORKER_HOST")
# How much a signal is worth: the worker's own word before its name, that before its page's port.
_OWN_WORD, _NAME, _PORT = 8, 4, 2

_Pair = tuple[str, str]
Said = Mapping[str, tuple[str, int]]
"""By a replica's id the host and port that its log says it listens on."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """What the master says (None: there is none, or it does not answer: `silent` is why) and whose workers these are:
    `workers` by the replica's id, `missing` are the running ones that it does not know, `unclear` those that cannot be
    told."""

    state: MasterState | None = None
    workers: Mapping[str, Worker] = field(default_factory=dict)
    missing: frozenset[str] = frozenset()
    unclear: frozenset[str] = frozenset()
    silent: str = ""

    def registered(self, replica: Replica) -> bool | None:
        """Whether the master gives work to a replica; None where that is unknown, or it is no worker that runs."""
        worker = self.workers.get(replica.id)
        return worker.is_alive if worker else False if replica.id in self.missing else None


def running_workers(stack: Stack, replicas: Iterable[Replica]) -> list[Replica]:
    """The replicas that are Spark workers and run."""
    return [
        one
        for one in replicas
        if one.state is State.RUNNING and not one.is_run and stack.role(one.service) is Role.SPARK_WORKER
    ]


def join(stack: Stack, project: Project, replicas: Iterable[Replica], state: MasterState | None, said: Said) -> Cluster:
    """Finds the worker of each replica, the surest pairs first; of several that are as good none."""
    if state is None:
        return Cluster()
    known = {worker.id: worker for worker in state.current_workers()}
    pages = Counter(_page_port(worker) for worker in known.values() if worker.is_alive)
    left, free = set[str](), set(known)
    scores: dict[_Pair, tuple[int, bool]] = {}
    for replica in running_workers(stack, replicas):
        left.add(replica.id)
        names = _names(replica, project.services.get(replica.service))
        # A process has its page on the machine's own port.
        ports = {port.published if replica.host in _ANYWHERE else port.target for port in replica.ports}
        for worker in known.values():
            page = _page_port(worker)
            points = _OWN_WORD if said.get(replica.id) == (worker.host, worker.port) else 0
            points += _NAME if worker.host in names else 0
            # A port that all containers' pages have says nothing.
            points += _PORT if page in ports and pages[page] <= 1 else 0
            if points:
                scores[replica.id, worker.id] = points, worker.is_alive
    workers: dict[str, Worker] = {}
    while pairs := _surest(scores):
        for id, worker_id in pairs:
            workers[id] = known[worker_id]
            left.discard(id)
            free.discard(worker_id)
        scores = {pair: score for pair, score in scores.items() if pair[0] in left and pair[1] in free}
    # Where no worker is left that could be theirs they are not registered.
    is_clear = not any(known[id].is_alive for id in free)
    return Cluster(state, workers, frozenset(left if is_clear else ()), frozenset(() if is_clear else left))


def _surest(scores: Mapping[_Pair, tuple[int, bool]]) -> list[_Pair]:
    """The pairs of which each is the only best one for the other."""
    best: dict[tuple[int, str], list[_Pair]] = {}
    for pair, score in scores.items():
        for side in enumerate(pair):
            others = best.setdefault(side, [pair])
            if score > scores[others[0]]:
                best[side] = [pair]
            elif score == scores[others[0]] and pair not in others:
                others.append(pair)
    return [pair for pair in scores if all(best[side] == [pair] for side in enumerate(pair))]


def _names(replica: Replica, service: Service | None) -> set[str]:
    """Under which a worker in this replica may have registered."""
    settings = service.environment if service else {}
    names = {replica.host, replica.name, replica.id, replica.id[:12], *replica.addresses, *replica.names}
    return (
        names | {settings.get(name, "") for name in _NAMES} | set(_NAMED.findall(" ".join(replica.command)))
    ) - _ANYWHERE


def _page_port(worker: Worker) -> int | None:
    try:
        return urlsplit(worker.web_ui).port
    except ValueError:
        return None


class Workers:
    """Joins a stack's workers, again and again; remembers what their logs said."""

    def __init__(self, engine: Engine, stack: Stack, project: Project) -> None:
        self._engine = engine
        self._stack = stack
        self._project = project
        # None: its log does not tell.
        self._said: dict[tuple[str, datetime | None], tuple[str, int] | None] = {}

    def renew(self, stack: Stack, project: Project) -> None:
        """Goes on with what the stack's files say now."""
        self._stack, self._project = stack, project

    def join(self, replicas: Iterable[Replica], state: MasterState | None) -> Cluster:
        """From what is known so far."""
        said = {one.id: word for one in replicas if (word := self._said.get((one.id, one.started_at)))}
        return join(self._stack, self._project, replicas, state, said)

    async def ask(self, replicas: Sequence[Replica], state: MasterState | None) -> Cluster:
        """Reads the logs of all workers where it is not clear which is which; each of them once in its life."""
        cluster = self.join(replicas, state)
        if not cluster.unclear:
            return cluster
        here = {(one.id, one.started_at): one for one in running_workers(self._stack, replicas)}
        self._said = {key: word for key, word in self._said.items() if key in here}
        await asyncio.gather(*(self._read(one) for key, one in here.items() if key not in self._said))
        return self.join(replicas, state)

    async def _read(self, replica: Replica) -> None:
        since = int(replica.started_at.timestamp() * 1e9) if replica.started_at else None
        lines = 0
        try:
            async with aclosing(self._engine.logs(replica.id, since_ns=since)) as log:
                async for line in log:
                    lines += 1
                    found = _STARTS.search(line.text[:2000])
                    if found or lines >= FIRST_LINES:
                        self._said[replica.id, replica.started_at] = (found[1], int(found[2])) if found else None
                        return
        except EngineGone:
            return
        except EngineError:
            self._said[replica.id, replica.started_at] = None


async def look_at_cluster(engine: Engine, stack: Stack, project: Project, replicas: Sequence[Replica]) -> Cluster:
    """What the Spark master says now, joined with these replicas; one that is silent is asked again first."""
    state, silent = await _asked(engine, stack, project, replicas)
    if silent:
        await asyncio.sleep(AGAIN_SECONDS)
        state, silent = await _asked(engine, stack, project, replicas)
    return replace(await Workers(engine, stack, project).ask(replicas, state), silent=silent)


async def master_state(
    engine: Reach, stack: Stack, project: Project, replicas: Sequence[Replica]
) -> MasterState | None:
    """What the Spark master says now; None if the stack has none or it does not answer. Raises EngineError."""
    return (await _asked(engine, stack, project, replicas))[0]


async def _asked(
    engine: Reach, stack: Stack, project: Project, replicas: Sequence[Replica]
) -> tuple[MasterState | None, str]:
    url = await master_url(engine, stack, project, replicas)
    if url is None:
        return None, ""
    async with MasterClient(url) as client:
        try:
            return await client.state(), ""
        except ClientError as error:
            return None, str(error)
