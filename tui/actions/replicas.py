"""What a person means by names: whole services, or single replicas of them (`spark-worker-2`)."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Sequence
from dataclasses import dataclass

from tui.actions.registered import registered
from tui.actions.start import Phase, Refused, StartUpdate
from tui.actions.start import start as start_services
from tui.engine.interface import Engine, Progress, Replica, State
from tui.stack.errors import StackError, nearest
from tui.stack.model import Project, Stack
from tui.watch.names import numbered, short_name
from tui.watch.ready import wait_ready


@dataclass(frozen=True, slots=True)
class Chosen:
    """Services as a whole and single replicas of others; nothing of both: the whole stack."""

    services: tuple[str, ...] = ()
    replicas: tuple[Replica, ...] = ()

    @property
    def names(self) -> list[str]:
        """What a person calls them, and the command line takes."""
        return [*self.services, *map(numbered, self.replicas)]

    @property
    def all_services(self) -> list[str]:
        """Every service that is touched."""
        return list(dict.fromkeys([*self.services, *(one.service for one in self.replicas)]))

    @property
    def is_everything(self) -> bool:
        """Whether nothing was named, which means all."""
        return not self.services and not self.replicas

    def has(self, service: str) -> bool:
        """Whether a service as a whole is among them."""
        return self.is_everything or service in self.services

    def includes(self, replica: Replica) -> bool:
        """Whether a replica, or one that has taken its place, is among them."""
        return self.has(replica.service) or any(
            (one.service, one.number) == (replica.service, replica.number) for one in self.replicas
        )


async def choose(engine: Engine, project: Project, names: Sequence[str], others: Iterable[str] = ()) -> Chosen:
    """What these names stand for. Raises StackError for one that the stack does not have.

    `others` are what else could have been named, for that message.
    """
    kept: list[Replica] = []
    if any(name not in project.services for name in names):
        kept = [one for one in await engine.replicas() if not one.is_run]
    replicas = {name: one for one in kept for name in (short_name(one, project), numbered(one))}
    services: list[str] = []
    single: dict[str, Replica] = {}
    for name in names:
        if name in project.services:
            services.append(name)
        elif orphans := [one for one in kept if one.service == name]:
            single |= {one.id: one for one in orphans}
        elif name in replicas:
            single[replicas[name].id] = replicas[name]
        else:
            known = [*project.services, *(other for other in replicas if other not in project.services), *others]
            raise StackError(
                f"{project.name} has no service {name!r}{nearest(name, known)} It has: {', '.join(known)}."
            )
    return Chosen(tuple(dict.fromkeys(services)), tuple(one for one in single.values() if one.service not in services))


async def stop(engine: Engine, chosen: Chosen) -> AsyncGenerator[Progress]:
    """Stops what is chosen; it all stays."""
    if chosen.services or chosen.is_everything:
        async for step in engine.stop(chosen.services):
            yield step
    for replica in chosen.replicas:
        yield Progress(f"{numbered(replica)} stops")
        await engine.end(replica.id)


async def restart(
    engine: Engine, stack: Stack, project: Project, chosen: Chosen, *, timeout: float = 300
) -> AsyncGenerator[StartUpdate]:
    """Restarts what is chosen; over when it is healthy again. `timeout` in seconds is for that."""
    if chosen.services or chosen.is_everything:
        async for progress in engine.restart(chosen.services):
            yield progress
    for replica in chosen.replicas:
        yield Progress(f"{numbered(replica)} restarts")
        await engine.restart_replica(replica.id)
    yield Phase("Waiting for health")
    async for step in wait_ready(engine, stack, project, chosen.services, chosen.replicas, timeout=timeout):
        yield step


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

    Of a service with several replicas a single one is only started where it ended. Raises Refused if it is to be
    made anew.
    """
    if chosen.replicas and (build or recreate):
        names = ", ".join(dict.fromkeys(one.service for one in chosen.replicas))
        raise Refused(f"Only a whole service is built or recreated, not one replica of it. Name the service: {names}")
    if chosen.services or chosen.is_everything:
        async for update in start_services(
            engine, stack, chosen.services, build=build, recreate=recreate, wait=wait, timeout=timeout
        ):
            yield update
    ended = [one for one in chosen.replicas if one.state is not State.RUNNING]
    for replica in ended:
        yield Progress(f"{numbered(replica)} starts")
        await engine.start_replica(replica.id)
    if ended and wait:
        yield Phase("Waiting for health")
        async for step in wait_ready(engine, stack, project, single=ended, timeout=timeout):
            yield step
        async for step in registered(engine, stack, project, timeout=timeout):
            yield step
