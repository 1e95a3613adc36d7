"""Waiting until a stack's services are ready, told by the engine's events."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from tui.engine.interface import Engine, EngineError, Replica, State
from tui.stack.model import Project, Service, Stack
from tui.stack.roles import awaited
from tui.text import bare
from tui.watch.cluster import Cluster
from tui.watch.dependencies import Wait, waits_of, waits_text
from tui.watch.names import numbered
from tui.watch.scene import Scene
from tui.watch.words import DONE, took_text

# A safety net under the event stream, in seconds: an event may fall between two subscriptions.
LOOK_AGAIN = 5.0
# How long what has no health check must have run, in seconds, and what it is called until then.
GRACE, STARTED = 1.0, "started"
# Of the log of what failed: lines, and characters of each.
LAST_LINES, LONGEST_LINE = 8, 300


class NotReady(Exception):
    """Services did not become ready. The text says which and why, a line each."""


@dataclass(frozen=True, slots=True)
class Step:
    """Where a service stands on its way up: a word, and the seconds since the waiting began. `waits`: for whom."""

    service: str
    word: str
    seconds: float
    ready: bool = False
    failed: bool = False
    detail: str = ""
    waits: tuple[Wait, ...] = ()
    replica: Replica | None = None
    """The one that speaks for the service, where it failed or will end by itself."""
    last: Replica | None = None
    """The one whose log tells why it is not ready yet."""

    @property
    def told(self) -> str:
        """The word; of one that waits also how long who is waited for already takes."""
        return waits_text(self.waits, datetime.now(UTC)) if self.waits else self.word


def wanted_services(project: Project, services: Sequence[str] = ()) -> list[Service]:
    """The services that should be up: the named ones, or all that no profile holds back."""
    if services:
        return [project.services[name] for name in services]
    return [service for service in project.services.values() if not service.profiles and service.replicas > 0]


CHOOSE_PROFILE = "Choose one: sparkdeck --profile NAME up. Or name the services: sparkdeck up SERVICE"


def all_behind_profiles(stack: Stack, project: Project) -> str:
    """Says so, with the services and their profiles, if nothing starts by itself; else empty."""
    if wanted_services(project) or not project.services:
        return ""
    names = ", ".join(f"{service.name} ({', '.join(service.profiles)})" for service in project.services.values())
    active = f" Active: {', '.join(stack.profiles)}." if stack.profiles else ""
    return f"{stack.name} starts nothing by itself: every service is behind a profile: {names}.{active}"


def with_needs(project: Project, services: Iterable[Service]) -> list[Service]:
    """These services and all that they need."""
    found = {service.name: service for service in services}
    names = list(found)
    for name in names:
        for other in found[name].depends_on:
            if other in project.services and other not in found:
                found[other] = project.services[other]
                names.append(other)
    return list(found.values())


# Of a service's replicas the least ready speaks for all.
_WORST = ("ended", "restarting", "paused", "unknown", "created", "unhealthy", "starting")


def judge(scene: Scene, service: Service, replicas: Sequence[Replica], name: str = "") -> Step:
    """What the replicas of one service amount to."""
    name = name or service.name
    why = f"sparkdeck logs {name} tells why"

    def step(
        word: str, detail: str = "", replica: Replica | None = None, *, ready: bool = False, failed: bool = False
    ) -> Step:
        return Step(name, word, 0.0, ready, failed, detail, replica=replica)

    def not_started(word: str) -> Step:
        waits = waits_of(service, scene.replicas)
        return replace(step(waits_text(waits) or word), waits=waits)

    if not replicas:
        return not_started("not created yet")
    by_word: dict[str, list[Replica]] = {}
    for replica in replicas:
        by_word.setdefault(scene.condition(service.name, replica).word, []).append(replica)
    word = next((word for word in _WORST if word in by_word), "")
    worst = max(by_word.get(word, replicas), key=lambda replica: abs(replica.exit_code or 0))
    match word:
        case "ended":
            reason = "out of memory" if worst.out_of_memory else f"exit code {worst.exit_code}"
            return step(f"ended ({reason})", why, worst, failed=True)
        case "created":
            return not_started(word)
        case "unhealthy":
            return step(word, worst.health_output.strip() or "its health check says nothing", failed=True)
        case "restarting":
            # It may be waiting for another service: the time that is left is its own.
            reason = scene.condition(service.name, worst).reason
            return replace(step(word, f"{reason or 'it ended'}; {why}"), last=worst)
        case "paused" | "unknown" | "starting":
            return step(word)
    if DONE in by_word:
        took = took_text(worst)
        return step(f"{DONE}, {took}" if took else DONE, replica=worst, ready=len(by_word) == 1)
    if service.name in awaited(scene.project):
        return step("running", replica=replicas[0])
    if service.has_health_check and "running" in by_word:
        return step("starting")
    if len(replicas) < service.replicas:
        return step(f"{len(replicas)} of {service.replicas} running")
    if "healthy" in by_word:
        return step("healthy", ready=True)
    # Of what has no health check nothing is known but that it has not ended at once.
    return step("running", ready=True) if all(map(_lasts, replicas)) else step(STARTED)


def _lasts(replica: Replica) -> bool:
    # An engine whose clock is another one's is not waited for.
    age = None if replica.started_at is None else (datetime.now(UTC) - replica.started_at).total_seconds()
    return age is None or not -GRACE < age < GRACE


async def look(
    engine: Engine, stack: Stack, project: Project, services: Sequence[Service], single: Sequence[Replica] = ()
) -> list[Step]:
    """Where each of these services, and each of these replicas by itself, stands now (seconds are 0)."""
    found = [replica for replica in await engine.replicas() if not replica.is_run]
    scene = Scene(stack, project, found, Cluster())
    steps = [judge(scene, service, [one for one in found if one.service == service.name]) for service in services]
    for replica in single:
        alone = replace(project.services.get(replica.service, Service(replica.service)), replicas=1)
        steps.append(judge(scene, alone, [one for one in found if one.id == replica.id], numbered(replica)))
    return steps


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

    With `single` only these services and, whatever their siblings do, these replicas. While a service runs for whose
    end others wait, the time stands still: how long its work takes nobody can say.

    Raises NotReady when a service has failed or the time is over.
    """
    wanted = wanted_services(project, services) if services or not single else []
    began = looked = time.monotonic()
    spent, works = 0.0, False
    known: dict[str, str] = {}
    async with changes(engine) as changed:
        while True:
            changed.clear()
            steps = await look(engine, stack, project, wanted, single)
            now = time.monotonic()
            spent += 0.0 if works else now - looked
            looked = now
            works = any(step.replica and step.replica.state is State.RUNNING for step in steps)
            for step in steps:
                if known.get(step.service) != step.word and step.word != STARTED:
                    known[step.service] = step.word
                    yield replace(step, seconds=now - began)
            failed = [step for step in steps if step.failed]
            if failed:
                raise await not_ready(engine, failed)
            waiting = [step for step in steps if not step.ready]
            if not waiting:
                return
            if spent > timeout:
                raise NotReady(f"not ready after {timeout:.0f} s:\n" + "\n".join(await _told(engine, waiting)))
            again = GRACE if any(step.word == STARTED for step in waiting) else LOOK_AGAIN
            await changed_within(changed, min(again, max(0.1, timeout - spent)))


async def not_ready(engine: Engine, failed: Sequence[Step]) -> NotReady:
    """What failed and why, with the end of the log of those that ended."""
    return NotReady("\n".join(await _told(engine, failed)))


async def _told(engine: Engine, steps: Iterable[Step]) -> list[str]:
    lines = []
    for step in steps:
        replica = step.last or (step.replica if step.failed else None)
        last = await _last_lines(engine, replica) if replica else []
        detail = f"; {step.detail}" if step.detail else ""
        lines.append(f"{step.service}: {step.told}{detail}" + (". Its log ends with:" if last else ""))
        lines += [f"  {line}" for line in last]
    return lines


async def _last_lines(engine: Engine, replica: Replica) -> list[str]:
    lines = []
    try:
        async with aclosing(engine.logs(replica.id, tail=LAST_LINES)) as log:
            async for line in log:
                lines.append(bare(line.text)[:LONGEST_LINE].rstrip())
    except EngineError:
        return []
    return [line for line in lines if line]


@asynccontextmanager
async def changes(engine: Engine) -> AsyncGenerator[asyncio.Event]:
    """An event that every event of the stack sets; an engine without events leaves it to LOOK_AGAIN."""
    changed = asyncio.Event()
    listener = asyncio.create_task(_listen(engine, changed), name="wait-ready-events")
    try:
        yield changed
    finally:
        listener.cancel()
        await asyncio.gather(listener, return_exceptions=True)


async def changed_within(changed: asyncio.Event, seconds: float) -> None:
    """Waits for a change, for at most so long."""
    # Not by wait_for, which loses a cancellation that comes together with the change.
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await changed.wait()


async def _listen(engine: Engine, changed: asyncio.Event) -> None:
    try:
        async with aclosing(engine.events()) as events:
            async for _ in events:
                changed.set()
    except EngineError:
        return
