"""What is known of a service by its role, while it runs. Each role is a module here, and stands in the one table."""

from __future__ import annotations

from collections.abc import Mapping

from tui.engine.interface import Engine, Replica, State
from tui.stack.model import Project, Role, Stack
from tui.stack.roles import ROLES
from tui.watch.cluster import Cluster
from tui.watch.roles import app, mlflow, object_store, scheduler, spark_master, spark_worker
from tui.watch.roles.kind import Login, Watched

WATCHED: Mapping[Role, Watched] = {
    Role.SPARK_MASTER: spark_master.WATCHED,
    Role.SPARK_WORKER: spark_worker.WATCHED,
    Role.MLFLOW: mlflow.WATCHED,
    Role.OBJECT_STORE: object_store.WATCHED,
    Role.SCHEDULER: scheduler.WATCHED,
    Role.APP: app.WATCHED,
    **{role: app.WATCHED for role, kind in ROLES.items() if kind.health},
}
_NOTHING = Watched()


def watched(stack: Stack, service: str) -> Watched:
    """What is known of a service's role."""
    return WATCHED.get(stack.role(service), _NOTHING)


def spark_line(stack: Stack, replica: Replica, cluster: Cluster) -> str:
    """What the Spark master says of a replica; empty where it says nothing."""
    line = watched(stack, replica.service).line
    says = line is not None and replica.state is State.RUNNING and not replica.is_run
    return line(replica, cluster) if line and says else ""


def has_login(stack: Stack, project: Project, service: str) -> bool:
    """Whether `login_of` may find one, as far as that can be told without asking."""
    return watched(stack, service).has_login(project.services[service])


async def login_of(engine: Engine, stack: Stack, replica: Replica) -> Login | None:
    """The login of a service's page; None where it has none, or it cannot be found out (now). Raises EngineError."""
    # Now: the first start may have made the credentials.
    service = (await engine.project()).services.get(replica.service)
    login = watched(stack, replica.service).login
    return await login(engine, service, replica) if login and service else None
