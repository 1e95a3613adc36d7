"""Services that wait for another one that will not come by itself."""

from __future__ import annotations

from collections.abc import Iterator

from tui.checks.finding import Finding
from tui.checks.situation import Situation
from tui.engine.interface import Health, Replica, State
from tui.watch.dependencies import missing_for, state_or_health
from tui.watch.names import short_name


def check_waits(now: Situation) -> Iterator[Finding]:
    """One finding for each service that was made but not started, with whom it waits for. While those are on their way
    there is nothing to say."""
    for replica in now.replicas:
        service = now.project.services.get(replica.service)
        if replica.is_run or replica.state is not State.CREATED or service is None:
            continue
        missing = missing_for(service, now.replicas)
        stuck = {name: other for name, other in missing.items() if not _comes(other)}
        if stuck:
            waits = " and ".join(f"{name}, which {_is(other)}" for name, other in stuck.items())
            yield Finding(
                f"{short_name(replica, now.project)} waits for {waits}.",
                f"Why: sparkdeck logs {next(iter(stuck))}. When that is well: sparkdeck up {replica.service}",
                replica.service,
                replica.id,
            )


def _comes(other: Replica | None) -> bool:
    if other is None or other.health is Health.UNHEALTHY:
        return False
    return other.state in (State.CREATED, State.RUNNING, State.RESTARTING)


def _is(other: Replica | None) -> str:
    if other is None:
        return "is not there"
    return f"{'' if other.state is State.ENDED else 'is '}{state_or_health(other)}"
