"""The Spark master's own view of the cluster, beside the engine's view of its services."""

from __future__ import annotations

from collections.abc import Sequence

from tui.clients.http import ClientError
from tui.clients.spark_master import MasterClient, MasterState
from tui.engine.interface import Replica, State
from tui.stack.model import Project, Role, Stack
from tui.watch.links import master_url, worker_of


async def master_state(stack: Stack, project: Project, replicas: Sequence[Replica]) -> MasterState | None:
    """What the Spark master says now; None if the stack has none or it does not answer."""
    url = master_url(stack, project, replicas)
    if url is None:
        return None
    async with MasterClient(url) as client:
        try:
            return await client.state()
        except ClientError:
            return None


def worker_services(stack: Stack, project: Project) -> list[str]:
    """The services whose role is Spark worker, in the project's order."""
    layout = stack.layout
    return [name for name in project.services if layout and layout.service(name).role is Role.SPARK_WORKER]


def unregistered(
    stack: Stack, project: Project, replicas: Sequence[Replica], state: MasterState | None
) -> list[Replica]:
    """The running workers that the Spark master does not know as alive; none where the master is silent."""
    if state is None:
        return []
    services = set(worker_services(stack, project))
    missing = []
    for replica in replicas:
        if replica.service in services and replica.state is State.RUNNING and not replica.is_run:
            worker = worker_of(replica, state)
            if worker is None or not worker.is_alive:
                missing.append(replica)
    return missing
