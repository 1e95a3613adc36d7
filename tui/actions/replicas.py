"""What a person means by names: whole services, or single replicas of them (`spark-worker-2`)."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass

from tui.actions.start import Phase, StartUpdate
from tui.actions.start import start as start_services
from tui.engine.interface import Engine, Progress, Replica, State
from tui.stack.errors import StackError, nearest
from tui.stack.model import Project, Stack
from tui.watch.names import short_name
from tui.watch.ready import wait_ready


@dataclass(frozen=True, slots=True)
class Chosen:
    """Services as a whole and single replicas of others; nothing of both: the whole stack."""

    services: tuple[str, ...] = ()
    replicas: tuple[Replica, ...] = ()

    def names(self, project: Project) -> list[str]:
        """What a person calls them, and the command line takes."""
        return [*self.services, *(short_name(one, project) for one in self.replicas)]

    @property
    def all_services(self) -> list[str]:
        """Every service that is touched."""
        return list(dict.fromkeys([*self.services, *(one.service for one in self.replicas)]))


async def choose(engine: Engine, project: Project, names: Sequence[str]) -> Chosen:
    """What these names stand for. Raises StackError for one that the stack does not have."""
    replicas: dict[str, Replica] = {}
    if any(name not in project.services for name in names):
        replicas = {short_name(one, project): one for one in await engine.replicas() if not one.is_run}
    services, single = [], []
    for name in names:
        if name in project.services:
            services.append(name)
        elif name in replicas:
            single.append(replicas[name])
        else:
            known = [*project.services, *(other for other in replicas if other not in project.services)]
            raise StackError(
                f"{project.name} has no service {name!r}{nearest(name, known)} It has: {', '.join(known)}."
            )
    return Chosen(tuple(services), tuple(one for one in single if one.service not in services))


async def stop(engine: Engine, project: Project, chosen: Chosen) -> AsyncGenerator[Progress]:
    """Stops what is chosen; it all stays."""
    if chosen.services or not chosen.replicas:
        async for step in engine.stop(chosen.services):
            yield step
    for replica in chosen.replicas:
        yield Progress(f"{short_name(replica, project)} stops")
        await engine.end(replica.id)


async def restart(
    engine: Engine, stack: Stack, project: Project, chosen: Chosen, *, timeout: float = 300
) -> AsyncGenerator[StartUpdate]:
    """Restarts what is chosen; over when it is healthy again. `timeout` in seconds is for that."""
    if chosen.services or not chosen.replicas:
        async for step in engine.restart(chosen.services):
            yield step
    for replica in chosen.replicas:
        yield Progress(f"{short_name(replica, project)} restarts")
        await engine.restart_replica(replica.id)
    async for update in _healthy(engine, stack, project, chosen, timeout):
        yield update


async def start(
    engine: Engine,
    stack: Stack,
    project: Project,
    chosen: Chosen,
    *,
    build: bool = False,
    recreate: bool = False,
    wait: bool = True,
    timeout: float = 300,
) -> AsyncGenerator[StartUpdate]:
    """Starts what is chosen; over when it is healthy, unless `wait` is False. See `start_services`.

    Of a service with several replicas a single one is only started where it ended; it is not made anew.
    """
    if chosen.services or not chosen.replicas:
        async for update in start_services(
            engine, stack, chosen.services, build=build, recreate=recreate, wait=wait, timeout=timeout
        ):
            yield update
    ended = [one for one in chosen.replicas if one.state is not State.RUNNING]
    for replica in ended:
        yield Progress(f"{short_name(replica, project)} starts")
        await engine.start_replica(replica.id)
    if ended and wait:
        async for update in _healthy(engine, stack, project, Chosen(replicas=tuple(ended)), timeout):
            yield update


async def _healthy(
    engine: Engine, stack: Stack, project: Project, chosen: Chosen, timeout: float
) -> AsyncGenerator[StartUpdate]:
    yield Phase("Waiting for health")
    async for step in wait_ready(engine, stack, project, chosen.all_services, timeout=timeout):
        yield step
