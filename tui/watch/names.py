"""What a person calls a replica."""

from __future__ import annotations

from tui.engine.interface import Replica
from tui.stack.model import Project


def short_name(replica: Replica, project: Project) -> str:
    """The run's id; the service's name where it has one replica; else the service and the replica's number."""
    if replica.is_run:
        return replica.labels["run"]
    service = project.services.get(replica.service)
    if replica.number == 1 and service is not None and service.replicas == 1 and not service.profiles:
        return replica.service
    return numbered(replica)


def numbered(replica: Replica) -> str:
    """The name that means this replica alone, also where the service's own name means all of them."""
    return f"{replica.service}-{replica.number}"


def is_orphan(replica: Replica, project: Project) -> bool:
    """Whether it is there although no compose file in use names its service (any more)."""
    return not replica.is_run and replica.service not in project.services
