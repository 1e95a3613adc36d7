"""An engine in memory for tests: its replicas, samples, lines, events, outages and answers are a script.

    engine = ScriptedEngine(project)
    web = engine.add("web", health=Health.HEALTHY)
    engine.write(web, "hello", "world")
    engine.sample(web, cpu_percent=12.5, memory=300_000_000)
    engine.finish(web, exit_code=137, out_of_memory=True)
    engine.gone("nobody home"); engine.back()
    engine.fail("restart", "no such image"); engine.hold("up"); engine.release("up")

Every change emits the event that the real engine would. Actions are recorded in `actions`, say what `progress`
has for them (a line or two of their own without), and change the replicas as compose would.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from typing import Any

from tests.scripted_state import ALIVE, Script
from tui.engine.interface import (
    Address,
    Capability,
    EngineError,
    EngineGone,
    Event,
    Health,
    LogLine,
    NoWay,
    Progress,
    Removable,
    Replica,
    RunRequest,
    Sample,
)
from tui.engine.ports import next_free, published
from tui.stack.model import Port, Project, Service


class ScriptedEngine(Script):
    """See `tui.engine.interface.Engine`; what is not part of that is the script's."""

    def lacks(self, capability: Capability) -> str:
        return self.lacking.get(capability, "")

    async def reach(self, replica: Replica, port: int) -> Address | NoWay:
        self._check("reach")
        return published(replica, port)

    async def close(self) -> None:
        self.closed = True
        for queue in self._listeners:
            queue.put_nowait(None)
        self._ring()

    async def project(self) -> Project:
        self._check("project")
        return self._project

    async def remembered(self) -> Project | None:
        self._check("remembered")
        return self._remembered

    async def owner(self) -> tuple[int, int]:
        return 1000, 1000

    async def replicas(self) -> list[Replica]:
        self._check("replicas")
        found = [container.replica for container in self._containers.values()]
        return sorted(found, key=lambda one: (one.service, one.is_run, one.number, one.name))

    async def record(self, replica_id: str) -> Mapping[str, Any]:
        self._check("record")
        replica = self._container(replica_id).replica
        return {"Id": replica.id, "Name": replica.name, "Config": {"Image": replica.image, "Env": list(self.env)}}

    async def processes(self, replica_id: str) -> list[list[str]]:
        self._check("processes")
        command = " ".join(self._container(replica_id).replica.command) or "serve"
        return [["PID", "COMMAND"], ["1", command]]

    def attend(self, replica_ids: Collection[str]) -> None:
        """See the interface."""
        self.attended = set(replica_ids)

    async def stats(self, replica_id: str) -> AsyncGenerator[Sample]:
        self._check("stats")
        self.open_streams += 1
        try:
            at = max(0, len(self._container(replica_id).samples) - 1)
            ends = len(self._container(replica_id).ends)
            while True:
                bell = self._bell
                container = self._stream("stats", replica_id)
                if container is None or container.replica.state not in ALIVE or len(container.ends) > ends:
                    return
                for sample in container.samples[at:]:
                    at += 1
                    yield sample
                await bell.wait()
        finally:
            self.open_streams -= 1

    async def logs(
        self,
        replica_id: str,
        *,
        since_ns: int | None = None,
        until_ns: int | None = None,
        tail: int | None = None,
        follow: bool = False,
    ) -> AsyncGenerator[LogLine]:
        self._check("logs")
        self.open_streams += 1
        try:
            # As json-file does: the last lines of all, and of these those in the time asked for.
            lines = self._container(replica_id).lines
            at = 0 if tail is None else max(0, len(lines) - tail)
            ends = len(self._container(replica_id).ends)
            while True:
                bell = self._bell
                container = self._stream("logs", replica_id)
                if container is None:
                    return
                ended = len(container.ends) > ends
                for line in container.lines[at : container.ends[ends] if ended else None]:
                    at += 1
                    if until_ns is not None and line.at_ns > until_ns:
                        return
                    if since_ns is None or line.at_ns >= since_ns:
                        yield line
                if not follow or ended or container.replica.state not in ALIVE:
                    return
                if at == len(container.lines):
                    await bell.wait()
        finally:
            self.open_streams -= 1

    def events(self) -> AsyncGenerator[Event]:
        # From this call on, as the real one: not from the first step of the iteration.
        self.calls["events"] += 1
        queue: asyncio.Queue[Event | None] = asyncio.Queue()
        self._listeners.append(queue)
        return self._events(queue)

    async def _events(self, queue: asyncio.Queue[Event | None]) -> AsyncGenerator[Event]:
        try:
            self._check("events")
            while (event := await queue.get()) is not None:
                yield event
            raise EngineGone(self._outage or "The engine ended its stream of events.")
        finally:
            self._listeners.remove(queue)

    async def build(self, services: Sequence[str] = (), *, fresh: bool = False) -> AsyncGenerator[Progress]:
        async for step in self._act("build", tuple(services), fresh):
            yield step

    async def up(self, services: Sequence[str] = (), *, recreate: bool = False) -> AsyncGenerator[Progress]:
        async for step in self._act("up", tuple(services), recreate):
            yield step
        for service in self._services(services):
            for number in range(1, service.replicas + 1):
                found = self._find(service.name, number)
                if found is None:
                    self._new(service, number)
                elif recreate:
                    self.recreate(found)
                elif found.state not in ALIVE:
                    self.begin(found)

    async def stop(self, services: Sequence[str] = ()) -> AsyncGenerator[Progress]:
        async for step in self._act("stop", tuple(services)):
            yield step
        self._services(services)
        for replica in self._kept(services):
            if replica.state in ALIVE:
                self.finish(replica, 143)

    async def restart(self, services: Sequence[str] = ()) -> AsyncGenerator[Progress]:
        async for step in self._act("restart", tuple(services)):
            yield step
        for replica in self._kept(services):
            if replica.state in ALIVE:
                self.finish(replica, 143)
            self.begin(replica)

    async def down(self, *, volumes: bool = False) -> AsyncGenerator[Progress]:
        async for step in self._act("down", volumes):
            yield step
        for container in list(self._containers.values()):
            if container.replica.state in ALIVE:
                self.finish(container.replica, 143)
            self.drop(container.replica)

    async def scale(self, service: str, count: int) -> AsyncGenerator[Progress]:
        async for step in self._act("scale", service, count):
            yield step
        for replica in self._kept([service]):
            if replica.number > count:
                self.drop(replica)
        for number in range(1, count + 1):
            if self._find(service, number) is None:
                self._new(self._service(service), number)

    async def signal(self, replica_id: str, signal: str) -> None:
        self._record("signal", replica_id, signal)
        self.emit("signalled", self._container(replica_id).replica, f"signal {signal}")

    async def end(self, replica_id: str, *, grace_seconds: float = 10) -> None:
        self._record("end", replica_id)
        await self._held("end")
        if self._container(replica_id).replica.state in ALIVE:
            self.finish(replica_id, 143)

    async def start_replica(self, replica_id: str) -> None:
        self._record("start_replica", replica_id)
        await self._held("start_replica")
        if self._container(replica_id).replica.state not in ALIVE:
            self.begin(replica_id)

    async def restart_replica(self, replica_id: str) -> None:
        self._record("restart_replica", replica_id)
        await self._held("restart_replica")
        if self._container(replica_id).replica.state in ALIVE:
            self.finish(replica_id, 143)
        self.begin(replica_id)

    async def remove(self, replica_id: str) -> None:
        self._record("remove", replica_id)
        if self._container(replica_id).replica.state in ALIVE:
            raise EngineError("This replica cannot be removed: it runs")
        self.drop(replica_id)

    async def start_run(self, request: RunRequest) -> Replica:
        self._record("start_run", request)
        await self._held("start_run")
        words = (*request.command, *request.arguments)
        return self.add_run(request.service, request.name, labels=request.labels, command=words)

    async def execute(
        self, service: str, command: Sequence[str], *, replica_id: str | None = None, timeout: float = 60
    ) -> tuple[int, str]:
        self._record("execute", service, tuple(command), replica_id)
        await self._held("execute")
        return self.executions.get((service, tuple(command)), (0, ""))

    async def shell_command(
        self,
        service: str,
        command: Sequence[str] = (),
        *,
        env: Mapping[str, str] | None = None,
        terminal: bool = True,
        replica_id: str | None = None,
    ) -> list[str]:
        self._record("shell_command", service, tuple(command), dict(env or {}), replica_id)
        return list(self.shell)

    def commands(self, action: str, services: Sequence[str] = (), replicas: Sequence[Replica] = ()) -> list[str]:
        return [" ".join([self.tool, action, *services, *(one.name for one in replicas)])] if self.tool else []

    async def port_holder(self, port: Port) -> str | None:
        self._check("port_holder")
        return None

    async def next_free(self, port: Port, avoid: Collection[int | None] = ()) -> int | None:
        return next_free(port, avoid)

    async def removables(self) -> list[Removable]:
        self._check("removables")
        kept = [Removable("replica", one.replica.id, one.replica.name, None) for one in self._containers.values()]
        return [*kept, *self.garbage]

    async def remove_all(self) -> AsyncGenerator[Progress]:
        async for step in self._act("remove_all"):
            yield step
        for container in list(self._containers.values()):
            self.drop(container.replica)
        self.garbage.clear()

    async def _act(self, action: str, *arguments: Any) -> AsyncGenerator[Progress]:
        self.actions.append((action, arguments))
        said = self.progress.get(action, [f"{action} begins", f"{action} done"])
        for index, text in enumerate(said):
            yield Progress(text)
            if index == 0:
                await self._held(action)
            await asyncio.sleep(0)
        self._check(action)

    def _new(self, service: Service, number: int) -> None:
        health = Health.HEALTHY if service.has_health_check else Health.NONE
        ports = tuple(port for port in service.ports if port.published)
        self.add(service.name, number, image=service.image, health=health, ports=ports)

    def _services(self, names: Sequence[str]) -> list[Service]:
        if names:
            return [self._service(name) for name in names]
        return [service for service in self._project.services.values() if not service.profiles]

    def _service(self, name: str) -> Service:
        if name not in self._project.services:
            raise EngineError(f"There is no service {name!r}")
        return self._project.services[name]

    def _kept(self, names: Sequence[str]) -> list[Replica]:
        found = [one.replica for one in self._containers.values() if not one.replica.is_run]
        return [replica for replica in found if not names or replica.service in names]

    def _find(self, service: str, number: int) -> Replica | None:
        return next((one for one in self._kept([service]) if one.number == number), None)
