"""Bringing services up in their order, each replica as soon as what it waits for is there."""

from __future__ import annotations

import asyncio
import json
import os
import uuid
from collections.abc import AsyncGenerator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tui.engine.interface import EngineError, Health, Progress, Replica, State
from tui.engine.ports import is_taken, listener
from tui.engine.process import launch
from tui.engine.process.cache import cache_folder
from tui.engine.process.plan import Plan
from tui.engine.process.ports import Ports, allotted
from tui.engine.process.spark import INHERITED
from tui.engine.process.spec import Spec
from tui.engine.process.state import RESTARTING, RUNNING, tell
from tui.engine.process.store import LOCALHOST, Store
from tui.engine.process.tree import family, listening, marked
from tui.engine.process.watcher import Watcher, heard
from tui.stack.model import Project, Service

# How often a port that was taken between the look and the start is given up for the next one.
MOVES = 3
# A process that ends within so many seconds may have found its port taken.
SOON = 20.0
BROUGHT = (State.RUNNING, State.RESTARTING)
COMPLETED, HEALTHY = "service_completed_successfully", "service_healthy"


class Starter:
    """One change of a stack: what runs is planned, ports are allotted, keepers started and stopped."""

    def __init__(self, plan: Plan, folder: Path, store: Store, watcher: Watcher) -> None:
        self._plan = plan
        self._folder = folder
        self._store = store
        self._watcher = watcher
        self._ports = Ports(folder)
        self._said: asyncio.Queue[Progress | None] = asyncio.Queue()
        # Replicas that are being brought up: one that has ended may yet be started again, on another port.
        self._underway: set[tuple[str, int]] = set()

    async def up(self, names: Sequence[str], *, recreate: bool = False) -> AsyncGenerator[Progress]:
        """Starts services and what they need. Raises EngineError when one cannot be."""
        services = [self._plan.project.services[name] for name in with_needed(self._plan.project, names)]
        wanted = [(service, number) for service in services for number in self._numbers(service)]
        async for step in self._bring(wanted, recreate={*names} if recreate else set()):
            yield step

    async def scale(self, name: str, count: int) -> AsyncGenerator[Progress]:
        """Starts what is missing up to this number, with what it needs, and removes what is above it.

        What runs is left as it is, whatever its settings would be now.
        """
        service = self._plan.project.services[name]
        for one in reversed(self._replicas(name)):
            if one.number > count:
                yield Progress(f"Container {one.name}  Stopping")
                await launch.stop(self._place(one.name), self._store, self._watcher)
                tell(self._folder, "removed", name, one.id)
                self._store.remove(self._place(one.name))
                yield Progress(f"Container {one.name}  Removed")
        self._watcher.ring()
        running = {(one.service, one.number) for one in self._store.replicas() if one.state in BROUGHT}
        needed = [
            self._plan.project.services[other] for other in with_needed(self._plan.project, [name]) if other != name
        ]
        wanted = [(other, number) for other in needed for number in self._numbers(other)]
        wanted += [(service, number) for number in range(1, count + 1)]
        missing = [(one, number) for one, number in wanted if (one.name, number) not in running]
        async for step in self._bring(missing, recreate=set()):
            yield step

    async def stop(self, names: Sequence[str]) -> AsyncGenerator[Progress]:
        """Stops services, those first that others do not need."""
        for level in reversed(self._levels(list(names) or list(self._plan.project.services))):
            running = [one for name in level for one in self._replicas(name) if one.state is not State.ENDED]
            for one in running:
                yield Progress(f"Container {one.name}  Stopping")
            await asyncio.gather(*(launch.stop(self._place(one.name), self._store, self._watcher) for one in running))
            for one in running:
                yield Progress(f"Container {one.name}  Stopped")

    async def restart(self, names: Sequence[str]) -> AsyncGenerator[Progress]:
        """Stops and starts the replicas that there are, all of a level together."""
        for level in self._levels(list(names) or list(self._plan.project.services)):
            replicas = [one for name in level for one in self._replicas(name)]
            for one in replicas:
                yield Progress(f"Container {one.name}  Restarting")
            await asyncio.gather(*(self._again(one) for one in replicas))
            for one in replicas:
                yield Progress(f"Container {one.name}  Started")

    # bringing up

    async def _bring(self, wanted: Sequence[tuple[Service, int]], *, recreate: set[str]) -> AsyncGenerator[Progress]:
        running = {one.name: one for one in self._store.replicas() if one.state is not State.ENDED and not one.is_run}
        in_use = {port.published for one in running.values() for port in one.ports if port.published}
        for note in await self._ports.allot(wanted, self._plan.set_ports, in_use):
            yield Progress(note)
        self._underway |= {(service.name, number) for service, number in wanted}
        tasks = [
            asyncio.create_task(
                self._bring_one(service, number, service.name in recreate), name=f"start-{service.name}"
            )
            for service, number in wanted
        ]
        everything = asyncio.gather(*tasks)
        everything.add_done_callback(lambda _: self._said.put_nowait(None))
        try:
            while (step := await self._said.get()) is not None:
                yield step
            await everything
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, everything, return_exceptions=True)

    async def _bring_one(self, service: Service, number: int, recreate: bool) -> None:
        try:
            await self._until_it_stays(service, number, recreate)
        finally:
            self._underway.discard((service.name, number))
            self._watcher.ring()

    async def _until_it_stays(self, service: Service, number: int, recreate: bool) -> None:
        name = f"{self._plan.project.name}-{service.name}-{number}"
        await self._wait_for(service, name)
        lost: list[str] = []
        while len(lost) <= MOVES:
            spec = self._spec(service, number, name)
            await self._make(spec, recreate)
            taken = await self._taken(spec)
            if taken is None:
                return
            port, holder = taken
            lost.append(f"{port} ({holder})")
            notes = await self._ports.allot([(service, number)], self._plan.set_ports, set(), avoid=[port])
            self._say(f"port {port} was taken by {holder} meanwhile; {'; '.join(notes) or f'{name} takes another'}")
            recreate = True
        raise EngineError(
            f"{name} could not be started: {len(lost)} ports, one after the other, were taken between the look and "
            f"the start: {', '.join(lost)}. Stop what takes them, then: sparkdeck up"
        )

    async def _make(self, spec: Spec, recreate: bool) -> None:
        """Creates and starts a replica; one that runs as it should is left alone."""
        folder = self._place(spec.name)
        if folder.exists():
            old = self._store.spec(folder)
            same = _what(old) == _what(_as_json(spec)) and not recreate
            if same and self._store.state(folder).get("state") in (RUNNING, RESTARTING):
                self._say(f"Container {spec.name}  Running")
                return
            if not same:
                self._say(f"Container {spec.name}  Recreate")
                await launch.stop(folder, self._store, self._watcher)
                tell(self._folder, "removed", spec.service, old["id"])
                await asyncio.to_thread(self._store.remove, folder)
        if not folder.exists():
            await asyncio.to_thread(self._store.add, spec)
            tell(self._folder, "created", spec.service, spec.id)
            self._say(f"Container {spec.name}  Created")
        await launch.launch(folder, self._store, self._watcher)
        self._say(f"Container {spec.name}  Started")

    async def _taken(self, spec: Spec) -> tuple[int, str] | None:
        """The port that somebody took between our look and the start, and who; None if the process lives, or died
        of something else. A replica without ports has nothing to wait for."""
        if not spec.ports:
            return None
        folder = self._place(spec.name)
        try:
            async with asyncio.timeout(SOON):
                while True:
                    bell = self._watcher.bell()
                    state = self._store.state(folder)
                    if state.get("state") != "running" or state.get("health") != "starting":
                        break
                    await heard(bell)
        except TimeoutError:
            return None
        own = await asyncio.to_thread(_own_ports, spec, state) if state.get("state") == "running" else set()
        if own is None:
            return None
        for port in spec.ports:
            # What answered may be the one that has our port, while our process has yet to find that out.
            if port.published and port.published not in own and is_taken(LOCALHOST, port.published):
                holder = await listener(port.published) or "another program"
                await launch.stop(folder, self._store, self._watcher, 0)
                return port.published, holder
        return None

    async def _wait_for(self, service: Service, name: str) -> None:
        """Waits until all that a service depends on is as it must be. Raises EngineError when that cannot be."""
        told = False
        while True:
            bell = self._watcher.bell()
            replicas = await asyncio.to_thread(self._store.replicas)
            missing = [
                (other, condition)
                for other, condition in service.depends_on.items()
                if other in self._plan.project.services
                if not self._is_there([one for one in replicas if one.service == other and not one.is_run], condition)
            ]
            if not missing:
                return
            for other, condition in missing:
                own = [one for one in replicas if one.service == other and not one.is_run]
                own = [one for one in own if (other, one.number) not in self._underway]
                if any(one.state is State.ENDED and (one.exit_code != 0 or condition == HEALTHY) for one in own):
                    code = next(one.exit_code for one in own if one.state is State.ENDED)
                    raise EngineError(
                        f"{service.name} needs {other}, which ended with exit code {code}. Why: sparkdeck logs {other}"
                    )
                if condition == HEALTHY and any(one.health is Health.UNHEALTHY for one in own):
                    said = next(one.health_output for one in own if one.health is Health.UNHEALTHY)
                    raise EngineError(
                        f"{service.name} needs {other}, which is unhealthy ({said}). Why: sparkdeck logs {other}"
                    )
            if not told:
                told = True
                self._say(f"Container {name}  Waiting for {', '.join(other for other, _ in missing)}")
            await heard(bell)

    def _is_there(self, replicas: Sequence[Replica], condition: str) -> bool:
        # One that ended well before may be about to start again; health counts once it is known whose port answered.
        known = not any((one.service, one.number) in self._underway for one in replicas)
        done = [one.state is State.ENDED and one.exit_code == 0 for one in replicas]
        if not replicas:
            return False
        if condition == COMPLETED:
            return known and all(done)
        if condition == HEALTHY:
            return known and all(
                one.state is State.RUNNING and one.health in (Health.HEALTHY, Health.NONE) for one in replicas
            )
        return all(one.state is State.RUNNING or (known and well) for one, well in zip(replicas, done, strict=True))

    def _spec(self, service: Service, number: int, name: str) -> Spec:
        own = self._ports.of(service.name, number)
        how = self._plan.service(service.name, own, self._ports.all_first())
        return Spec(
            id=uuid.uuid4().hex,
            name=name,
            service=service.name,
            number=number,
            command=how.command,
            environment=how.environment,
            folder=how.folder,
            ports=allotted(service, own),
            ready=how.ready,
            restart=service.restart,
            grace=how.grace,
            created_at=datetime.now(UTC).isoformat(),
        )

    async def _again(self, replica: Replica) -> None:
        await launch.stop(self._place(replica.name), self._store, self._watcher)
        await launch.launch(self._place(replica.name), self._store, self._watcher)

    # what there is

    def _say(self, text: str) -> None:
        self._said.put_nowait(Progress(text))

    def _place(self, name: str) -> Path:
        return self._folder / "replicas" / name

    def _replicas(self, name: str) -> list[Replica]:
        return [one for one in self._store.replicas() if one.service == name and not one.is_run]

    def _numbers(self, service: Service) -> list[int]:
        """The replicas that the project asks for, and those that were added by scaling."""
        return sorted({*range(1, service.replicas + 1), *(one.number for one in self._replicas(service.name))})

    def _levels(self, names: list[str]) -> list[list[str]]:
        """Services in such an order that each comes after all that it depends on."""
        left, levels = list(dict.fromkeys(names)), []
        while left:
            level = [
                name
                for name in left
                if not any(other in left for other in self._plan.project.services[name].depends_on)
            ] or left
            levels.append(level)
            left = [name for name in left if name not in level]
        return levels


def with_needed(project: Project, names: Sequence[str]) -> list[str]:
    """These services and all that they depend on."""
    found = list(names)
    for name in found:
        found += [
            other for other in project.services[name].depends_on if other in project.services and other not in found
        ]
    return found


def _own_ports(spec: Spec, state: dict[str, Any]) -> set[int] | None:
    """The ports on which a replica's processes listen; None if that cannot be known."""
    return listening([*family([one for one in (state.get("keeper"), state.get("child")) if one]), *marked({spec.id})])


def _as_json(spec: Spec) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(json.dumps(asdict(spec)))
    return found


def _what(spec: dict[str, Any]) -> dict[str, Any]:
    """What makes a replica another one; not which terminal it was started from."""
    environment = {name: value for name, value in spec["environment"].items() if name not in (*INHERITED, "PATH")}
    # Of the PATH only what was made for the stack.
    path = spec["environment"].get("PATH", "").split(os.pathsep)
    environment["PATH"] = [folder for folder in path if Path(folder).is_relative_to(cache_folder())]
    return {
        **{key: value for key, value in spec.items() if key not in ("id", "created_at")},
        "environment": environment,
    }
