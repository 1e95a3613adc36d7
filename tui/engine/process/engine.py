"""The process engine of one stack: its services as processes of this machine, each kept by a keeper."""

from __future__ import annotations

import asyncio
import os
import platform
import signal as signals
import sys
from collections.abc import AsyncGenerator, Callable, Collection, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from tui.engine.child import time_limit
from tui.engine.interface import (
    Address,
    Capability,
    EngineError,
    EngineGone,
    EngineInfo,
    Event,
    LogLine,
    NoWay,
    Progress,
    Removable,
    Replica,
    RunRequest,
    Sample,
    State,
    drain,
)
from tui.engine.ports import is_taken, listener, next_free, published
from tui.engine.process import cache, inside, launch
from tui.engine.process.fit import this_machine
from tui.engine.process.identity import is_same
from tui.engine.process.plan import Plan, make_plan
from tui.engine.process.ports import Ports
from tui.engine.process.runs import start_run
from tui.engine.process.samples import MEMORY_IS
from tui.engine.process.spark import POWER_SIGNAL
from tui.engine.process.start import Starter, with_needed
from tui.engine.process.state import RESTARTING, RUNNING, locked, tell
from tui.engine.process.store import LOCALHOST, Store, size, state_folder, writing
from tui.engine.process.streams import Streams
from tui.engine.process.tree import end_marked
from tui.engine.process.watcher import Watcher
from tui.stack.model import Port, Project, Stack

Act = Callable[[Starter, Sequence[str]], AsyncGenerator[Progress]]


class ProcessEngine:
    """A stack's services as processes of this machine. See `tui.engine.interface.Engine`."""

    def __init__(self, stack: Stack, info: EngineInfo) -> None:
        self._stack = stack
        self._info = info
        self._folder = state_folder(stack)
        self._store = Store(self._folder)
        self._watcher = Watcher(self._folder / "replicas")
        self._streams = Streams(self._store, self._watcher)
        self._closed = False

    @classmethod
    async def open(cls, stack: Stack, reason: str = "") -> ProcessEngine:
        """The engine of a stack. Raises EngineGone on Windows, EngineError for a stack without a process form."""
        if sys.platform == "win32":
            raise EngineGone("Processes are kept on Linux and macOS only. On Windows run SparkDeck inside WSL.")
        place, machine = f"processes of {platform.node() or 'this machine'}", this_machine()
        info = EngineInfo(
            *("process", platform.python_version(), place, reason, machine.cores, machine.memory), memory_is=MEMORY_IS
        )
        engine = cls(stack, info)
        await asyncio.to_thread(make_plan, stack, engine._folder)
        return engine

    @property
    def info(self) -> EngineInfo:
        """Which engine this is."""
        return self._info

    def lacks(self, capability: Capability) -> str:
        """Nothing: a process can be asked all that a container can."""
        return ""

    async def close(self) -> None:
        """Ends every stream. What runs goes on."""
        self._closed = True
        self._streams.closed = True
        await self._watcher.close()

    # what there is

    async def remembered(self) -> None:
        """Nothing: without its files nobody knows what a process is for."""

    async def project(self) -> Project:
        """The compose project with the ports that its services have, or would like to have."""
        plan = await self._plan()
        ports = Ports(self._folder)
        services = {
            name: replace(
                service,
                ports=tuple(
                    replace(
                        port,
                        published=port.published and ports.of(name, 1).get(port.target, port.published),
                        host=LOCALHOST,
                    )
                    for port in service.ports
                ),
            )
            for name, service in plan.project.services.items()
        }
        return replace(plan.project, services=services)

    async def owner(self) -> tuple[int, int]:
        """A process writes as who starts it."""
        return os.getuid(), os.getgid()

    async def replicas(self) -> list[Replica]:
        """Every replica and run of this stack."""
        self._check()
        return await asyncio.to_thread(self._store.replicas)

    async def record(self, replica_id: str) -> Mapping[str, Any]:
        """What is written down of a replica."""
        folder = await self._folder_of(replica_id)
        spec, state = self._store.spec(folder), self._store.state(folder)
        environment = [f"{name}={value}" for name, value in spec.pop("environment").items()]
        config = {"Cmd": spec["command"], "Env": environment, "WorkingDir": spec["folder"]}
        return {"Id": spec["id"], "Name": spec["name"], "Config": config, "State": state, "Spec": spec}

    async def processes(self, replica_id: str) -> list[list[str]]:
        """The replica's process tree."""
        return await asyncio.to_thread(self._streams.processes, await self._folder_of(replica_id))

    def attend(self, replica_ids: Collection[str]) -> None:
        """Nothing: all files can be read at once."""

    def stats(self, replica_id: str) -> AsyncGenerator[Sample]:
        """Samples of a replica, about one a second."""
        return self._streams.stats(replica_id)

    def logs(
        self,
        replica_id: str,
        *,
        since_ns: int | None = None,
        until_ns: int | None = None,
        tail: int | None = None,
        follow: bool = False,
    ) -> AsyncGenerator[LogLine]:
        """Lines of a replica."""
        return self._streams.logs(replica_id, since_ns, until_ns, tail, follow)

    def events(self) -> AsyncGenerator[Event]:
        """What happens to this stack's replicas, from this call on."""
        return self._streams.events()

    # what changes it

    async def build(self, services: Sequence[str] = (), *, fresh: bool = False) -> AsyncGenerator[Progress]:
        """Makes the environments of these services, and what the stack has made from source."""
        plan = await self._plan()
        self._check_names(plan.project, services)
        made = False
        async with aclosing(self._made(plan, list(services) or list(plan.project.services), fresh=fresh)) as steps:
            async for step in steps:
                made = True
                yield step
        if not made:
            yield Progress("nothing to build: services run from this Python's packages")

    async def up(self, services: Sequence[str] = (), *, recreate: bool = False) -> AsyncGenerator[Progress]:
        """Starts these services and what they depend on, each as soon as what it waits for is there."""
        plan = await self._plan()
        notes = plan.notes  # what is refused here leaves no folder behind
        for note in notes:
            yield Progress(note)
        wanted = self._wanted(plan.project, services)
        async with aclosing(self._made(plan, with_needed(plan.project, wanted))) as steps:
            async for step in steps:
                yield step
        async with self._changing():
            async for step in self._starter(plan).up(wanted, recreate=recreate):
                yield step

    def stop(self, services: Sequence[str] = ()) -> AsyncGenerator[Progress]:
        """Stops these services; runs go on."""
        return self._change(services, Starter.stop)

    def restart(self, services: Sequence[str] = ()) -> AsyncGenerator[Progress]:
        """Restarts these services, one log going on."""
        return self._change(services, Starter.restart)

    async def down(self, *, volumes: bool = False) -> AsyncGenerator[Progress]:
        """Ends everything and removes what is known of it; volumes only when told."""
        async with self._changing():
            async for step in launch.remove_all(await self.replicas(), self._store, self._watcher):
                yield step
            await asyncio.to_thread(self._store.sweep, volumes)

    async def scale(self, service: str, count: int) -> AsyncGenerator[Progress]:
        """Brings a service to this many replicas; what runs is not touched."""
        async with self._changing():
            plan = await self._plan()
            self._check_names(plan.project, [service])
            async for step in self._made(plan, with_needed(plan.project, [service])):
                yield step
            async for step in self._starter(plan).scale(service, count):
                yield step

    async def signal(self, replica_id: str, signal: str) -> None:
        """Sends a signal by name to a replica's main process."""
        state = self._store.state(await self._folder_of(replica_id))
        name = signal.upper().removeprefix("SIG")
        # A worker drains at PWR, which not every system has.
        number = getattr(signals, f"SIG{POWER_SIGNAL if name == 'PWR' else name}", None)
        if number is None:
            raise EngineError(f"There is no signal {signal!r}")
        if not is_same(state.get("child"), state.get("child_start")):
            raise EngineError("This replica does not run")
        os.kill(state["child"], number)
        await self._tell(replica_id, "signalled", f"signal {signal}")

    async def end(self, replica_id: str, *, grace_seconds: float = 10) -> None:
        """Stops one replica or run."""
        folder = await self._folder_of(replica_id)
        await launch.stop(folder, self._store, self._watcher, grace_seconds)

    async def start_replica(self, replica_id: str) -> None:
        """Starts one replica; one that runs is left as it is."""
        folder = await self._folder_of(replica_id)
        with writing(self._folder):
            await launch.launch(folder, self._store, self._watcher)

    async def restart_replica(self, replica_id: str) -> None:
        """Stops one replica and starts it."""
        folder = await self._folder_of(replica_id)
        with writing(self._folder):
            await launch.stop(folder, self._store, self._watcher)
            await launch.launch(folder, self._store, self._watcher)

    async def remove(self, replica_id: str) -> None:
        """Removes one ended replica or run with its log."""
        folder = await self._folder_of(replica_id)
        if self._store.state(folder).get("state") in (RUNNING, RESTARTING):
            raise EngineError("This replica cannot be removed: it runs")
        await asyncio.to_thread(end_marked, {replica_id})
        await self._tell(replica_id, "removed")
        await asyncio.to_thread(self._store.remove, folder)
        self._watcher.ring()

    async def start_run(self, request: RunRequest) -> Replica:
        """Starts a run with a service's settings; it goes on by itself."""
        plan = await self._plan()
        self._check_names(plan.project, [request.service])
        await drain(self._made(plan, [request.service]))
        run = await start_run(plan, self._folder, self._store, self._watcher, request)
        return next(one for one in await self.replicas() if one.id == run)

    async def execute(
        self, service: str, command: Sequence[str], *, replica_id: str | None = None, timeout: float = 60
    ) -> tuple[int, str]:
        """Runs a command with a replica's environment; of each output the first MiB."""
        plan = await self._plan()
        spec = await self._running(plan, service, replica_id)
        async with time_limit(timeout, command, service):
            return await inside.execute(spec, plan.arguments(service, command))

    async def shell_command(
        self,
        service: str,
        command: Sequence[str] = (),
        *,
        env: Mapping[str, str] | None = None,
        terminal: bool = True,
        replica_id: str | None = None,
    ) -> list[str]:
        """The command line that becomes `command` with a replica's environment."""
        plan = await self._plan()
        spec = await self._running(plan, service, replica_id)
        file = self._folder / "replicas" / spec["name"] / "spec.json"
        return inside.shell_line(file, plan.arguments(service, command), env or {})

    def commands(self, action: str, services: Sequence[str] = (), replicas: Sequence[Replica] = ()) -> list[str]:
        """Nothing: there is no tool of its own."""
        return []

    # ports, cleaning up

    async def reach(self, replica: Replica, port: int) -> Address | NoWay:
        """The port that the replica was given for it, else the same port where it listens there."""
        found = published(replica, port)
        if isinstance(found, Address) or replica.state is not State.RUNNING:
            return found
        listens = await asyncio.to_thread(self._streams.listens, await self._folder_of(replica.id), port)
        return Address("localhost", port) if listens else NoWay(f"it does not listen on port {port}")

    async def port_holder(self, port: Port) -> str | None:
        """Who holds a port that the user set himself; every other one is moved when it is taken."""
        if port.published is None or port.protocol != "tcp":
            return None
        plan = await self._plan()
        if port.published not in plan.set_ports or not is_taken(LOCALHOST, port.published):
            return None
        return await listener(port.published) or "another program"

    async def next_free(self, port: Port, avoid: Collection[int | None] = ()) -> int | None:
        """The next free port of this machine."""
        return next_free(port, avoid)

    async def removables(self) -> list[Removable]:
        """Replicas and runs with their logs, volumes, and what was made for no other stack than this one."""
        found = [
            Removable("replica", one.id, one.name, await asyncio.to_thread(size, self._folder / "replicas" / one.name))
            for one in await self.replicas()
        ]
        volumes = self._folder / "volumes"
        for volume in sorted(volumes.iterdir()) if volumes.is_dir() else ():
            found.append(Removable("volume", str(volume), volume.name, await asyncio.to_thread(size, volume)))
        return [*found, *await asyncio.to_thread(cache.of_user, self._user)]

    async def remove_all(self) -> AsyncGenerator[Progress]:
        """Removes everything that is kept of this stack."""
        async for step in self.down(volumes=True):
            yield step
        async for step in cache.forget(self._user):
            yield step

    # helpers

    def _check(self) -> None:
        if self._closed:
            raise EngineGone("The engine was closed")

    async def _plan(self) -> Plan:
        self._check()
        return await asyncio.to_thread(make_plan, self._stack, self._folder)

    @property
    def _user(self) -> cache.User:
        return cache.User(self._folder.name, self._stack.home)

    async def _made(self, plan: Plan, names: Sequence[str], *, fresh: bool = False) -> AsyncGenerator[Progress]:
        """Makes what these services need and is not there yet."""
        for recipe in await asyncio.to_thread(plan.needed, names):
            async with aclosing(cache.make(recipe, self._user, fresh=fresh)) as steps:
                async for step in steps:
                    yield step

    def _starter(self, plan: Plan) -> Starter:
        return Starter(plan, self._folder, self._store, self._watcher)

    async def _change(self, services: Sequence[str], act: Act) -> AsyncGenerator[Progress]:
        async with self._changing():
            plan = await self._plan()
            self._check_names(plan.project, services)
            async for step in act(self._starter(plan), services):
                yield step

    @asynccontextmanager
    async def _changing(self) -> AsyncGenerator[None]:
        self._check()
        with writing(self._folder), locked(self._folder) as lock:
            if lock is None:
                raise EngineError(
                    "Another sparkdeck is changing this stack at this moment. Wait until that is done, then try again."
                )
            yield

    def _wanted(self, project: Project, services: Sequence[str]) -> list[str]:
        self._check_names(project, services)
        return list(services) or [name for name, one in project.services.items() if not one.profiles]

    def _check_names(self, project: Project, names: Sequence[str]) -> None:
        for name in names:
            if name not in project.services:
                known = ", ".join(project.services)
                raise EngineError(f"There is no service {name!r} in {project.name}; there are: {known}")

    async def _folder_of(self, replica_id: str) -> Path:
        self._check()
        return await asyncio.to_thread(self._store.folder_of, replica_id)

    async def _tell(self, replica_id: str, kind: str, detail: str = "") -> None:
        spec = self._store.spec(await self._folder_of(replica_id))
        tell(self._folder, kind, spec["service"], replica_id, detail)

    async def _running(self, plan: Plan, service: str, replica_id: str | None) -> dict[str, Any]:
        self._check_names(plan.project, [service])
        for one in await self.replicas():
            mine = one.service == service and not one.is_run and replica_id in (None, one.id)
            if mine and one.state is State.RUNNING:
                return self._store.spec(self._folder / "replicas" / one.name)
        what = "This replica of" if replica_id else "The service"
        raise EngineError(f"{what} {service} is not running; start it first")
