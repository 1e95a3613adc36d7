"""Roles for a compose project without a layout; each role is a module here, and stands in the one table, ROLES.

No single signal holds: SPARK_MODE is one publisher's, others use SPARK_WORKLOAD or spark-class, names and
images are anyone's. So every signal that fits gives its points to a role, and the role with the most points
wins if it has THRESHOLD or more (the earlier one of ROLES if two have the same):

- 6 points: what runs says it (the class of the master, `mlflow server`, `jupyter lab`), or others wait for
  the service to complete (one-shot).
- 5 points: an environment variable that exists to say it (SPARK_MODE, SPARK_WORKLOAD).
- 3 points: an image or a full name made for it (`minio/minio`, `spark-worker`), a port of its own.
- 1 or 2 points: a hint that needs a second one (the word `worker` in a name, the port 8080).

What Spark's own words do not stand in (name, image, what runs) is none of Spark's, whatever its environment says.

Below the threshold a service that is built here or publishes a port is an `app`; any other is unknown.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping

from tui.stack.model import Layout, Link, Project, Role, ScaleSpec, Service, ServiceLayout
from tui.stack.project import scale_obstacle
from tui.stack.roles import (
    app,
    catalog,
    database,
    datanode,
    flink,
    grafana,
    jupyter,
    kafka,
    metastore,
    mlflow,
    namenode,
    node_manager,
    object_store,
    one_shot,
    prometheus,
    resource_manager,
    scheduler,
    spark_client,
    spark_connect,
    spark_history,
    spark_master,
    spark_thrift,
    spark_worker,
    superset,
    trino,
    zookeeper,
)
from tui.stack.roles.kind import Kind

ROLES: Mapping[Role, Kind] = {
    module.KIND.role: module.KIND
    for module in (
        spark_master,
        spark_worker,
        spark_client,
        mlflow,
        jupyter,
        object_store,
        scheduler,
        database,
        app,
        one_shot,
        spark_history,
        spark_connect,
        spark_thrift,
        kafka,
        zookeeper,
        namenode,
        datanode,
        resource_manager,
        node_manager,
        metastore,
        catalog,
        trino,
        flink,
        superset,
        grafana,
        prometheus,
    )
}

THRESHOLD = 3

SPARK = frozenset(role for role in Role if role.startswith("spark-"))

# What compose calls the dependency on a service that has done its work.
COMPLETED = "service_completed_successfully"

# Characters of a fact that are looked at; what a project holds is untrusted.
MAX_FACT = 20_000

# Ports whose services speak something else than HTTP.
NOT_HTTP = frozenset(
    {22, 25, 53, 1433, 1521, 1883, 2181, 2379, 2888, 3306, 3888, 5432, 5433, 5672, 6066, 6123, 6379, 6875, 7077}
    | {7078, 7687, 8020, 9030, 9042, 9050, 9083, 9092, 9094, 9300, 10000, 11211, 15002, 26257, 27017, 29092}
)


def detect_layout(project: Project) -> Layout:
    """A layout made from the compose project alone: roles, links of published ports, the workers. No jobs."""
    roles = {name: role_of(project, name) for name in project.services}
    services = tuple(
        ServiceLayout(name, role, links=_links(project.services[name], role)) for name, role in roles.items()
    )
    workers = [project.services[name] for name, role in roles.items() if role is Role.SPARK_WORKER]
    return Layout(name=project.name, title=project.name, services=services, scale=_scale(workers))


def role_of(project: Project, name: str) -> Role:
    """The role with the most points for this service; see the module's text."""
    service = project.services[name]
    points = role_points(project, name)
    best = max(ROLES, key=lambda role: points[role])  # the first of several
    if points[best] >= THRESHOLD:
        return best
    return Role.APP if service.built or service.ports else Role.UNKNOWN


def role_points(project: Project, name: str) -> Counter[Role]:
    """The points of every role that a signal of this service speaks for."""
    facts = _facts(project.services[name])
    points: Counter[Role] = Counter()
    barred = frozenset() if _may_be_spark(facts) else SPARK
    for kind in ROLES.values():
        for value, fact, pattern in kind.signals:
            counts = fact == "runs" or kind.role not in barred
            if counts and re.search(pattern, facts[fact], re.MULTILINE):
                points[kind.role] += value
    if name in awaited(project):
        points[Role.ONE_SHOT] += 6
    return points


def one_shots(project: Project, layout: Layout) -> frozenset[str]:
    """The services that end by themselves when their work is done: by role, or because others wait for that."""
    by_role = {name for name in project.services if layout.service(name).role is Role.ONE_SHOT}
    return frozenset(by_role | awaited(project))


def awaited(project: Project) -> frozenset[str]:
    """The services for whose successful end others wait."""
    return frozenset(
        name
        for service in project.services.values()
        for name, condition in service.depends_on.items()
        if condition == COMPLETED
    )


def _may_be_spark(facts: Mapping[str, str]) -> bool:
    """Whether a service may be a part of Spark: one that runs something else, and only has Spark's variables in its
    environment (a Celery worker, an API that submits), is none. Of one that is built, and runs what its image says,
    nothing speaks against it."""
    seen = [facts[name] for name in ("name", "image", "runs")]
    return any("spark" in fact for fact in seen) or not (facts["image"] or facts["runs"])


def _facts(service: Service) -> dict[str, str]:
    """What a service says of itself, by the names that signals use."""
    variables = "\n".join(f"{name}={value}" for name, value in service.environment.items())
    return {
        "name": service.name.lower().replace("_", "-"),
        "image": service.image.lower()[:MAX_FACT],
        "runs": " ".join((*service.entrypoint, *service.command)).lower()[:MAX_FACT],
        "variables": variables.lower()[:MAX_FACT],
        "ports": "\n".join(str(port.target) for port in service.ports),
    }


def _links(service: Service, role: Role) -> tuple[Link, ...]:
    pages = [port.target for port in service.ports if port.protocol == "tcp" and port.target not in NOT_HTTP]
    kind = ROLES.get(role)
    if not pages or (kind and not kind.has_pages):
        return ()
    page = kind.page if kind else None
    if page is None:
        several = len(pages) > 1
        return tuple(Link(f"{service.name} {port}" if several else service.name, port) for port in pages)
    facts = _facts(service)
    chosen = re.search(page.chosen, f"{facts['variables']}\n{facts['runs']}") if page.chosen else None
    wanted = (int(chosen[1]), *page.ports) if chosen else page.ports
    return (Link(page.title, next((port for port in wanted if port in pages), pages[0]), page.path),)


def _scale(workers: list[Service]) -> ScaleSpec | None:
    """The last worker that compose can scale, else the last one, so that `scale` can say what hinders it."""
    if not workers:
        return None
    free = [worker for worker in workers if scale_obstacle(worker) is None]
    grows = (free or workers)[-1].name
    return ScaleSpec(grows, tuple(worker.name for worker in workers if worker.name != grows))
