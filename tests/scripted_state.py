"""The state of an engine in memory, and what a test may do to it. See `tests.scripted_engine`."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections import defaultdict
from dataclasses import dataclass, field, replace
from dataclasses import fields as fields_of
from datetime import UTC, datetime
from typing import Any

from tui.engine.interface import (
    Capability,
    EngineError,
    EngineGone,
    EngineInfo,
    Event,
    Health,
    Lacking,
    LogLine,
    Removable,
    Replica,
    Sample,
    State,
)
from tui.stack.model import Project

# What an engine must have for its calls; every other call is in every engine.
CALLS = {
    "logs": Capability.LOGS,
    "stats": Capability.SAMPLES,
    "build": Capability.BUILD,
    "scale": Capability.SCALE,
    "start_run": Capability.RUNS,
    **dict.fromkeys(("processes", "execute", "shell_command"), Capability.INSIDE),
    **dict.fromkeys(("removables", "remove_all"), Capability.CLEANUP),
    **dict.fromkeys(("up", "stop", "restart", "down", "signal", "end"), Capability.CONTROL),
    **dict.fromkeys(("start_replica", "restart_replica", "remove"), Capability.CONTROL),
}
ALIVE = (State.RUNNING, State.PAUSED)


@dataclass(slots=True)
class _Container:
    """What the engine keeps of one replica."""

    replica: Replica
    lines: list[LogLine] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    """How many lines there were each time it ended: streams end there, whatever comes later."""


class Script:
    """What a test does with its scripted engine; the engine's own calls are in `tests.scripted_engine`."""

    def __init__(self, project: Project, *, endpoint: str = "memory") -> None:
        self._project = project
        self._remembered: Project | None = None
        self.info = EngineInfo("scripted", "1", endpoint)
        self.actions: list[tuple[str, tuple[Any, ...]]] = []
        self.progress: dict[str, list[str]] = {}
        self.executions: dict[tuple[str, tuple[str, ...]], tuple[int, str]] = {}
        self.tool = ""
        self.shell: list[str] = ["true"]
        self.env: list[str] = []
        self.lacking: dict[Capability, str] = {}
        self.garbage: list[Removable] = []
        self.calls: dict[str, int] = defaultdict(int)
        self.closed = False
        self._containers: dict[str, _Container] = {}
        self._failures: dict[str, Exception] = {}
        self._holds: dict[str, asyncio.Event] = {}
        self._outage: str | None = None
        self._listeners: list[asyncio.Queue[Event | None]] = []
        self._bell = asyncio.Event()
        self._serial = itertools.count(1)
        self._last_ns = 0
        self.open_streams = 0

    def set_project(self, project: Project) -> None:
        """The compose files say something else now."""
        self._project = project

    def add(self, service: str, number: int = 1, *, id: str = "", name: str = "", **fields: Any) -> Replica:
        """A replica, running unless told otherwise; any field of Replica may be given. Emits created, started."""
        now = datetime.now(UTC)
        made = Replica(
            id=id or f"{service}-{number}-{next(self._serial)}",
            name=name or f"{self._project.name}-{service}-{number}",
            service=service,
            number=number,
            **{
                "state": State.RUNNING,
                "created_at": now,
                "started_at": now if fields.get("state", State.RUNNING) is not State.CREATED else None,
                "host": f"{self._project.name}-{service}-{number}",
                **fields,
            },
        )
        self._containers[made.id] = _Container(made)
        self.emit("created", made)
        if made.state in ALIVE:
            self.emit("started", made)
        return made

    def add_run(self, service: str, run: str, **fields: Any) -> Replica:
        """A job's run."""
        labels = {"run": run, **fields.pop("labels", {})}
        return self.add(service, 0, id=run, name=run, labels=labels, **fields)

    def change(self, replica: Replica | str, event: str = "", detail: str = "", **fields: Any) -> Replica:
        """Replaces fields of a replica; `event` is emitted (`health` by itself where the health changed)."""
        container = self._container(replica)
        container.replica = replace(container.replica, **fields)
        if event or "health" in fields:
            self.emit(event or "health", container.replica, detail or str(fields.get("health", "")))
        self._ring()
        return container.replica

    def finish(self, replica: Replica | str, exit_code: int = 0, *, out_of_memory: bool = False) -> Replica:
        """The replica ends by itself or is stopped; its log stays."""
        self._container(replica).ends.append(len(self._container(replica).lines))
        if out_of_memory:
            self.emit("out-of-memory", self._container(replica).replica)
        return self.change(
            replica,
            "ended",
            f"exit code {exit_code}",
            state=State.ENDED,
            exit_code=exit_code,
            out_of_memory=out_of_memory,
            ended_at=datetime.now(UTC),
            **({"health": Health.UNHEALTHY} if self._container(replica).replica.health is not Health.NONE else {}),
        )

    def begin(self, replica: Replica | str) -> Replica:
        """A created or ended replica starts, its log going on."""
        health = self._container(replica).replica.health
        return self.change(
            replica,
            "started",
            state=State.RUNNING,
            exit_code=None,
            out_of_memory=False,
            started_at=datetime.now(UTC),
            ended_at=None,
            **({"health": Health.STARTING} if health is not Health.NONE else {}),
        )

    def drop(self, replica: Replica | str) -> None:
        """The replica and its log are gone."""
        container = self._container(replica)
        del self._containers[container.replica.id]
        self.emit("removed", container.replica)

    def recreate(self, replica: Replica | str) -> Replica:
        """Another replica in its place: new id, new log."""
        old = self._container(replica).replica
        self.finish(old, 143)
        self.drop(old)
        return self.add(old.service, old.number, name=old.name, ports=old.ports, health=old.health, image=old.image)

    def write(
        self, replica: Replica | str, *texts: str, at_ns: int | None = None, is_error_stream: bool = False
    ) -> list[LogLine]:
        """Lines that the replica writes now, or all at one instant."""
        container = self._container(replica)
        made = []
        for text in texts:
            self._last_ns = at_ns if at_ns is not None else max(self._last_ns + 1, time.time_ns())
            made.append(LogLine(container.replica.id, self._last_ns, text, is_error_stream))
        container.lines += made
        self._ring()
        return made

    def sample(self, replica: Replica | str, **fields: Any) -> Sample:
        """A sample; what is not given is unknown, its time is now."""
        container = self._container(replica)
        values: dict[str, Any] = dict.fromkeys(
            [one.name for one in fields_of(Sample) if one.name not in ("replica_id", "at")]
        )
        made = Sample(replica_id=container.replica.id, **{"at": datetime.now(UTC), **values, **fields})
        container.samples.append(made)
        self._ring()
        return made

    def emit(self, kind: str, replica: Replica, detail: str = "") -> None:
        """Tells every listener."""
        event = Event(datetime.now(UTC), kind, replica.service, replica.id, detail)
        for queue in self._listeners:
            queue.put_nowait(event)
        self._ring()

    def gone(self, text: str = "No engine answers: it was switched off by the test.") -> None:
        """Every call and stream fails with EngineGone until `back`."""
        self._outage = text
        for queue in self._listeners:
            queue.put_nowait(None)
        self._ring()

    def back(self) -> None:
        """The engine answers again."""
        self._outage = None
        self._ring()

    def fail(self, action: str, error: str | Exception) -> None:
        """The action of this name (`restart`, `scale`, `execute`, `logs`, ...) raises this until `mend`; a text as
        EngineError. Streams that are open raise it too."""
        self._failures[action] = EngineError(error) if isinstance(error, str) else error
        self._ring()

    def mend(self, action: str) -> None:
        """The action works again."""
        self._failures.pop(action, None)

    def hold(self, action: str) -> None:
        """The action says its first line and then waits for `release`."""
        self._holds[action] = asyncio.Event()

    def release(self, action: str) -> None:
        """Lets a held action go on."""
        self._holds.pop(action).set()

    def known(self) -> list[Replica]:
        """Every replica and run, whatever the engine answers."""
        return [container.replica for container in self._containers.values()]

    def replica(self, replica: Replica | str) -> Replica:
        """How this replica is now."""
        return self._container(replica).replica

    def _check(self, action: str) -> None:
        self.calls[action] += 1
        if self.closed:
            raise EngineGone("The engine was closed.")
        if self._outage is not None:
            raise EngineGone(self._outage)
        if action in CALLS and (why := self.lacking.get(CALLS[action])):
            raise Lacking(why)
        if action in self._failures:
            raise self._failures[action]

    def _record(self, action: str, *arguments: Any) -> None:
        self.actions.append((action, arguments))
        self._check(action)

    async def _held(self, action: str) -> None:
        if action in self._holds:
            await self._holds[action].wait()
            self._check(action)

    def _container(self, replica: Replica | str) -> _Container:
        id = replica if isinstance(replica, str) else replica.id
        if id not in self._containers:
            raise EngineError(f"No such replica: {id}")
        return self._containers[id]

    def _stream(self, action: str, replica_id: str) -> _Container | None:
        """The replica of an open stream; None if it is gone."""
        if self._outage is not None:
            raise EngineGone(self._outage)
        if action in self._failures:
            raise self._failures[action]
        return None if self.closed else self._containers.get(replica_id)

    def _ring(self) -> None:
        bell, self._bell = self._bell, asyncio.Event()
        bell.set()
