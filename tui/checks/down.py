"""What is not there, or was stopped: no fault of a service, but nobody can use it."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from tui.checks.finding import Finding
from tui.checks.situation import Situation
from tui.watch.places import pane_name, service_of
from tui.watch.ready import CHOOSE_PROFILE, all_behind_profiles, wanted_services
from tui.watch.words import DOWN, count


def check_down(now: Situation, told: Collection[str]) -> Iterator[Finding]:
    """One finding for a stack that is down, else one for each of its places where nothing runs; not of those services
    of which something is told already."""
    here = [replica for replica in now.replicas if not replica.is_run]
    behind = all_behind_profiles(now.stack, now.project)
    if behind and not here:
        yield Finding(behind, CHOOSE_PROFILE)
        return
    if not here and wanted_services(now.project):
        services = count(len(wanted_services(now.project)), "service")
        yield Finding(f"{now.stack.name} is down: none of its {services} runs.", "Start it: sparkdeck up")
        return
    for key, replica in now.places().items():
        if replica is not None and replica.is_run:
            # Of a run its verdict tells.
            continue
        service = service_of(key)
        condition = now.condition(service, replica)
        if service in told or condition.waits or condition.word not in (DOWN, "ended", "paused"):
            continue
        name = pane_name(now.project, key, replica)
        what = {DOWN: "is down", "ended": "was stopped", "paused": "is paused"}[condition.word]
        again = f"docker compose unpause {service}" if condition.word == "paused" else f"sparkdeck up {service}"
        yield Finding(f"{name} {what}.", f"Go on with it: {again}", service, replica.id if replica else "")
