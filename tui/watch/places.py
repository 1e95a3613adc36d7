"""Where replicas stand: a place for each that there is or should be, whatever is created anew there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from tui.engine.interface import Replica, State
from tui.stack.model import Project
from tui.watch.names import short_name


def key_of(replica: Replica) -> str:
    """The key of the pane that shows this replica."""
    return replica.labels["run"] if replica.is_run else f"{replica.service}/{replica.number}"


def service_of(key: str) -> str:
    """The service whose place has this key."""
    return key.rpartition("/")[0]


def placed(replicas: Iterable[Replica]) -> dict[str, Replica]:
    """Which replica stands at each key. While compose recreates one there are two; the old one until it has ended."""
    found: dict[str, Replica] = {}
    for replica in replicas:
        key = key_of(replica)
        other = found.get(key)
        if other is None or _rank(replica) > _rank(other):
            found[key] = replica
    return found


def expected(project: Project) -> list[str]:
    """The keys that there are whether anything runs or not: those the project itself asks for."""
    services = (service for service in project.services.values() if not service.profiles)
    return [f"{service.name}/{number}" for service in services for number in range(1, service.replicas + 1)]


def in_order(project: Project, replicas: Mapping[str, Replica]) -> list[str]:
    """The keys of all panes: the project's order, then the number; runs last, the newest first."""
    order = {name: index for index, name in enumerate(project.services)}
    kept = {*expected(project), *(key for key, replica in replicas.items() if not replica.is_run)}

    def place(key: str) -> tuple[int, str, int]:
        service, _, number = key.rpartition("/")
        return order.get(service, len(order)), service, int(number)

    runs = [replica for replica in replicas.values() if replica.is_run]
    runs.sort(key=lambda run: (run.created_at is not None, run.created_at), reverse=True)
    return [*sorted(kept, key=place), *map(key_of, runs)]


def pane_name(project: Project, key: str, replica: Replica | None) -> str:
    """What a person calls what belongs here."""
    if replica is not None:
        return short_name(replica, project)
    service, _, number = key.rpartition("/")
    return service if project.services[service].replicas == 1 else f"{service}-{number}"


def _rank(replica: Replica) -> tuple[bool, datetime]:
    return replica.state is not State.CREATED, replica.created_at or datetime.min.replace(tzinfo=UTC)
