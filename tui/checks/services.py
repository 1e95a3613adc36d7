"""Services that are not well: unhealthy, ended badly, killed for memory, started again and again."""

from __future__ import annotations

from collections.abc import Iterator

from tui.checks.finding import Finding
from tui.checks.situation import Situation
from tui.engine.interface import Replica
from tui.watch.names import is_orphan, short_name
from tui.watch.words import count

# SIGKILL, as a shell counts it: by the kernel for want of memory, or by somebody.
KILLED = 137
# Ends that somebody asked for: SIGTERM and SIGINT.
ASKED = (0, 143, 130)


def check_services(now: Situation) -> Iterator[Finding]:
    """One finding for each replica that is not well."""
    for replica in now.replicas:
        found = None if replica.is_run else _told(now, replica)
        if found is not None:
            yield Finding(*found, replica.service, replica.id)


def _told(now: Situation, replica: Replica) -> tuple[str, str] | None:
    """What is wrong and what to do about it."""
    name = short_name(replica, now.project)
    if is_orphan(replica, now.project):
        files = " and ".join(file.name for file in now.stack.files)
        return f"{name} is there, but its service is not in {files}.", f"Remove it: sparkdeck down {name}"
    logs = f"sparkdeck logs {replica.service}"
    condition = now.condition(replica.service, replica)
    if replica.out_of_memory:
        return f"{name} ran out of memory.", f"Raise its memory limit, or give it less to do: {logs}"
    if condition.word == "restarting":
        times = count(replica.restarts, "restart")
        return f"{name} ends again and again ({times}).", f"Why: {logs}"
    if condition.word == "ended" and replica.exit_code == KILLED:
        what = f"{name} was killed (exit code {KILLED}): the machine ran out of memory, or somebody killed it."
        return what, f"Free memory, then: sparkdeck up {name}"
    if condition.word == "ended" and replica.exit_code not in ASKED:
        return f"{name} {condition.reason}.", f"Why: {logs}. Again: sparkdeck up {name}"
    if condition.word == "unhealthy":
        return f"{name} is unhealthy: {condition.reason}", f"Why: {logs}. Again: sparkdeck restart {name}"
    return None
