"""Whom a service's start waits for, and for how long that one already takes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from tui.engine.interface import Health, Replica, State
from tui.stack.model import Service
from tui.stack.roles import COMPLETED
from tui.watch.words import end_text, lasting

HEALTHY = "service_healthy"


@dataclass(frozen=True, slots=True)
class Wait:
    """One who is waited for: its state in words and, where it is on its way, since when it runs."""

    service: str
    state: str
    since: datetime | None = None

    def text(self, now: datetime | None) -> str:
        """`app-ml-train, running 0:42`; without `now` without the time."""
        time = f" {lasting((now - self.since).total_seconds())}" if now and self.since else ""
        return f"{self.service}, {self.state}{time}"


def waits_of(service: Service | None, replicas: Iterable[Replica]) -> tuple[Wait, ...]:
    """Whom a service's start waits for; nobody where there is nothing to wait for."""
    return tuple(_wait(name, other) for name, other in missing_for(service, replicas).items()) if service else ()


def waits_text(waits: Sequence[Wait], now: datetime | None = None) -> str:
    """`waits for app-ml-train, running 0:42`; empty if for nobody. Without `now` without the times."""
    return "waits for " + ", and ".join(wait.text(now) for wait in waits) if waits else ""


def missing_for(service: Service, replicas: Iterable[Replica]) -> dict[str, Replica | None]:
    """Of the services that this one depends on those that are not as it needs them, each with the first replica that
    is not; None where there is no replica."""
    found = [replica for replica in replicas if not replica.is_run]
    missing: dict[str, Replica | None] = {}
    for name, condition in service.depends_on.items():
        own = [replica for replica in found if replica.service == name]
        not_yet = [replica for replica in own if not _satisfies(replica, condition)]
        if not own or not_yet:
            missing[name] = not_yet[0] if not_yet else None
    return missing


def state_or_health(replica: Replica) -> str:
    """Its health where it runs and has a health check, else its state; of one that ended how."""
    if replica.state is State.ENDED:
        return end_text(replica.exit_code, out_of_memory=replica.out_of_memory)
    running = replica.state is State.RUNNING and replica.health in (Health.STARTING, Health.UNHEALTHY)
    return str(replica.health if running else replica.state)


def _wait(name: str, other: Replica | None) -> Wait:
    if other is None:
        return Wait(name, "not there")
    return Wait(name, state_or_health(other), other.started_at if other.state is State.RUNNING else None)


def _satisfies(replica: Replica, condition: str) -> bool:
    if condition == COMPLETED:
        return replica.state is State.ENDED and replica.exit_code == 0
    if condition == HEALTHY:
        return replica.state is State.RUNNING and replica.health is Health.HEALTHY
    return replica.state is State.RUNNING
