"""Services that are not well: unhealthy, ended badly, killed for memory, started again and again."""

from __future__ import annotations

from collections.abc import Iterator

from tui.checks.finding import Finding
from tui.checks.situation import Situation
from tui.engine.interface import Health, Replica, State
from tui.watch.names import short_name
from tui.watch.words import end_text, state_note

# SIGKILL, as a shell counts it: by the kernel for want of memory, or by somebody.
KILLED = 137
# Ends that somebody asked for: SIGTERM and SIGINT.
ASKED = (0, 143, 130)
MANY_RESTARTS = 3


def check_services(now: Situation) -> Iterator[Finding]:
    """One finding for each replica that is not well."""
    for replica in now.replicas:
        if replica.is_run:
            continue
        name = short_name(replica, now.project)
        logs = f"sparkdeck logs {replica.service}"
        if replica.out_of_memory:
            yield Finding(
                f"{name} ran out of memory.", f"Raise its memory limit, or give it less to do: {logs}", replica.service
            )
        elif replica.state is State.RESTARTING or (replica.restarts >= MANY_RESTARTS and not _is_well(replica)):
            yield Finding(
                f"{name} ends again and again ({replica.restarts} restarts).", f"Why: {logs}", replica.service
            )
        elif replica.state is State.ENDED and replica.exit_code == KILLED:
            yield Finding(
                f"{name} was killed (exit code {KILLED}): the machine ran out of memory, or somebody killed it.",
                f"Free memory, then: sparkdeck up {name}",
                replica.service,
            )
        elif replica.state is State.ENDED and replica.exit_code not in ASKED:
            end = end_text(replica.exit_code, out_of_memory=False)
            yield Finding(f"{name} {end}.", f"Why: {logs}. Again: sparkdeck up {name}", replica.service)
        elif replica.state is State.RUNNING and replica.health is Health.UNHEALTHY:
            yield Finding(
                f"{name} is unhealthy: {state_note(replica, 'unhealthy')}",
                f"Why: {logs}. Again: sparkdeck restart {name}",
                replica.service,
            )


def _is_well(replica: Replica) -> bool:
    return replica.state is State.RUNNING and replica.health in (Health.HEALTHY, Health.NONE)
