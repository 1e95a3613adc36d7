"""Waiting until a stack's services are ready, told by the engine's events."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace

from tui.engine.interface import Engine, EngineError, Health, Replica, State
from tui.stack.model import Project, Role, Service, Stack
from tui.watch.names import numbered

# A safety net under the event stream, in seconds: an event may fall between two subscriptions.
LOOK_AGAIN = 5.0


class NotReady(Exception):
    """Services did not become ready. The text says which and why, a line each."""


@dataclass(frozen=True, slots=True)
class Step:
    """Where a service stands on its way up: a word, and the seconds since the waiting began."""

    service: str
    word: str
    seconds: float
    ready: bool = False
    failed: bool = False
    detail: str = ""


def wanted_services(project: Project, services: Sequence[str] = ()) -> list[Service]:
    """The services that should be up: the named ones, or all that no profile holds back."""
    if services:
        return [project.services[name] for name in services]
    return [service for service in project.services.values() if not service.profiles and service.replicas > 0]


def _judge(service: Service, role: Role, replicas: list[Replica], project: Project, seconds: float) -> Step:
    """What the replicas of one service amount to; the least ready replica speaks for all."""

    def step(word: str, detail: str = "", *, ready: bool = False, failed: bool = False) -> Step:
        return Step(service.name, word, seconds, ready, failed, detail)

    if not replicas:
        waits = ", ".join(service.depends_on)
        return step(f"waits for {waits}" if waits else "not created yet")
    ended = [replica for replica in replicas if replica.state is State.ENDED]
    if ended:
        worst = max(ended, key=lambda replica: abs(replica.exit_code or 0))
        awaited = any(
            other.depends_on.get(service.name) == "service_completed_successfully"
            for other in project.services.values()
        )
        if worst.exit_code == 0 and (awaited or role is Role.ONE_SHOT):
            return step("done", ready=len(ended) == len(replicas))
        reason = "out of memory" if worst.out_of_memory else f"exit code {worst.exit_code}"
        return step(f"ended ({reason})", f"sparkdeck logs {service.name} tells why", failed=True)
    if any(replica.state is State.RESTARTING for replica in replicas):
        return step("restarting", f"sparkdeck logs {service.name} tells why")
    if any(replica.state is not State.RUNNING for replica in replicas):
        waits = ", ".join(service.depends_on)
        return step(f"created, waits for {waits}" if waits else "created")
    sick = next((replica for replica in replicas if replica.health is Health.UNHEALTHY), None)
    if sick is not None:
        return step("unhealthy", sick.health_output.strip() or "its health check says nothing", failed=True)
    if service.has_health_check and any(replica.health is not Health.HEALTHY for replica in replicas):
        return step("starting")
    if len(replicas) < service.replicas:
        return step(f"{len(replicas)} of {service.replicas} running")
    return step("healthy" if service.has_health_check else "running", ready=True)


async def look(
    engine: Engine, stack: Stack, project: Project, services: Sequence[Service], single: Sequence[Replica] = ()
) -> list[Step]:
    """Where each of these services, and each of these replicas by itself, stands now (seconds are 0)."""
    found = [replica for replica in await engine.replicas() if not replica.is_run]
    places = [(service, service, [one for one in found if one.service == service.name]) for service in services]
    for replica in single:
        service = project.services[replica.service]
        alone = replace(service, name=numbered(replica), replicas=1)
        places.append((service, alone, [one for one in found if one.id == replica.id]))
    return [
        _judge(judged, stack.layout.service(service.name).role if stack.layout else Role.UNKNOWN, own, project, 0.0)
        for service, judged, own in places
    ]


async def wait_ready(
    engine: Engine,
    stack: Stack,
    project: Project,
    services: Sequence[str] = (),
    single: Sequence[Replica] = (),
    *,
    timeout: float = 300,
) -> AsyncGenerator[Step]:
    """Yields each change on the way until every service is ready. `timeout` in seconds.

    With `single` only these services and, whatever their siblings do, these replicas.

    Raises NotReady when a service has failed or the time is over.
    """
    wanted = wanted_services(project, services) if services or not single else []
    began = time.monotonic()
    changed = asyncio.Event()
    listener = asyncio.create_task(_listen(engine, changed), name="wait-ready-events")
    known: dict[str, str] = {}
    try:
        while True:
            changed.clear()
            steps = await look(engine, stack, project, wanted, single)
            seconds = time.monotonic() - began
            for step in steps:
                if known.get(step.service) != step.word:
                    known[step.service] = step.word
                    yield Step(step.service, step.word, seconds, step.ready, step.failed, step.detail)
            failed = [step for step in steps if step.failed]
            if failed:
                raise NotReady("\n".join(f"{step.service}: {step.word}; {step.detail}" for step in failed))
            waiting = [step for step in steps if not step.ready]
            if not waiting:
                return
            if seconds > timeout:
                raise NotReady(
                    f"not ready after {timeout:.0f} s:\n"
                    + "\n".join(f"{step.service}: {step.word}" for step in waiting)
                )
            try:
                await asyncio.wait_for(changed.wait(), min(LOOK_AGAIN, max(0.1, timeout - seconds)))
            except TimeoutError:
                continue
    finally:
        listener.cancel()
        await asyncio.gather(listener, return_exceptions=True)


async def _listen(engine: Engine, changed: asyncio.Event) -> None:
    """Turns every event of the stack into a wake-up; an engine without events leaves it to LOOK_AGAIN."""
    try:
        async with aclosing(engine.events()) as events:
            async for _ in events:
                changed.set()
    except EngineError:
        return
