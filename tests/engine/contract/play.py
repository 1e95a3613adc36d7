"""The contract's stack on the scripted engine: a script that does what the compose file says."""

from __future__ import annotations

import asyncio
import itertools
import os
import sys
from collections.abc import AsyncGenerator, Sequence
from contextlib import suppress

from tests.scripted_engine import ScriptedEngine
from tests.scripted_state import ALIVE
from tui.engine.child import time_limit
from tui.engine.interface import EngineError, EngineInfo, Health, Progress, Replica, State
from tui.stack.model import Project, Service

PROJECT = Project(
    "contract",
    {
        one.name: one
        for one in (
            Service("prepare"),
            Service("web", has_health_check=True, depends_on={"prepare": "service_completed_successfully"}),
            Service("talk", command=("sh", "-c", "echo line"), depends_on={"web": "service_healthy"}),
            Service("greet", profiles=("jobs",)),
        )
    },
)
OUT_AND_ERR = ("sh", "-c", "echo out; echo err >&2; exit 3")


class Play(ScriptedEngine):
    """Its replicas do something by themselves for as long as they run."""

    def __init__(self) -> None:
        super().__init__(PROJECT)
        self.info = EngineInfo("scripted", "1", "memory", cores=2, memory=2**31)
        self.env, self.shell = ["COLOUR=red"], [sys.executable, "-c", "print('red'); print('x')"]
        self.executions = {
            ("talk", ("sh", "-c", "echo in")): (0, "in\n"),
            ("web", OUT_AND_ERR): (3, "out\nerr\n"),
            ("web", ("sh", "-c", "echo $COLOUR")): (0, "red\n"),
        }
        self._lives: dict[str, asyncio.Task[None]] = {}

    async def end_all(self) -> None:
        """Nobody does anything any more."""
        for life in self._lives.values():
            life.cancel()
        await asyncio.gather(*self._lives.values(), return_exceptions=True)

    async def up(self, services: Sequence[str] = (), *, recreate: bool = False) -> AsyncGenerator[Progress]:
        wanted = [service.name for service in self._services(services)]
        for name in wanted:
            wanted += [other for other in self._project.services[name].depends_on if other not in wanted]
        for service in self._project.services.values():
            if service.name not in wanted:
                continue
            for needed, condition in service.depends_on.items():
                await self._reached(needed, condition)
            yield Progress(f"{service.name} starts")
            async for step in super().up([service.name], recreate=recreate and service.name in services):
                yield step

    async def _reached(self, service: str, condition: str) -> None:
        async with asyncio.timeout(5):
            while True:
                bell, found = self._bell, self._find(service, 1)
                if found is not None and found.state is State.ENDED:
                    if found.exit_code:
                        raise EngineError(f"{service} ended with exit code {found.exit_code}")
                    return
                if found is not None and condition == "service_healthy" and found.health is Health.HEALTHY:
                    return
                await bell.wait()

    async def signal(self, replica_id: str, signal: str) -> None:
        if signal not in ("KILL", "CONT"):
            raise EngineError(f"There is no signal {signal}")
        await super().signal(replica_id, signal)
        if signal == "KILL":
            self.finish(replica_id, 137)

    async def execute(
        self, service: str, command: Sequence[str], *, replica_id: str | None = None, timeout: float = 60
    ) -> tuple[int, str]:
        if not any(one.state in ALIVE for one in self._kept([service])):
            raise EngineError(f"The service {service} is not running")
        async with time_limit(timeout, command, service):
            if command[0] == "sleep":
                await asyncio.Event().wait()
            return await super().execute(service, command, replica_id=replica_id)

    def emit(self, kind: str, replica: Replica, detail: str = "") -> None:
        super().emit(kind, replica, detail)
        if kind == "started":
            self._lives[replica.id] = asyncio.create_task(self._live(replica))
        elif kind in ("ended", "removed") and replica.id in self._lives:
            self._lives[replica.id].cancel()

    async def _live(self, replica: Replica) -> None:
        await asyncio.sleep(0)
        with suppress(EngineError):
            match replica.service, replica.labels.get("run"):
                case "prepare", _:
                    self.write(replica, "prepared")
                    self.finish(replica, int(os.environ.get("PREPARED", "0")))
                case "web", None:
                    self.change(replica, health=Health.HEALTHY)
                case "web", _:
                    self.write(replica, "hi red")
                    self.finish(replica, 5)
                case "greet", _:
                    self.write(replica, "hello $COLOUR, two words")
                    self.finish(replica)
                case "talk", _:
                    for number in itertools.count(1):
                        self.write(replica, f"line {number}")
                        self.write(replica, f"error {number}", is_error_stream=True)
                        self.sample(replica, cpu_percent=1.0, memory=1_000_000, processes=2)
                        await asyncio.sleep(0.01)

    def _new(self, service: Service, number: int) -> None:
        health = Health.STARTING if service.has_health_check else Health.NONE
        self.add(service.name, number, image=service.image, health=health, command=service.command)
