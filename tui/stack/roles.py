"""Roles for a compose project without a layout.

No single signal holds: SPARK_MODE is one publisher's, others use SPARK_WORKLOAD or spark-class, names and
images are anyone's. So every signal that fits gives its points to a role, and the role with the most points
wins if it has THRESHOLD or more (the earlier role of `Role` if two have the same):

- 6 points: what runs says it (the class of the master, `mlflow server`, `jupyter lab`), or others wait for
  the service to complete (one-shot).
- 5 points: an environment variable that exists to say it (SPARK_MODE, SPARK_WORKLOAD).
- 3 points: an image or a full name made for it (`minio/minio`, `spark-worker`), a port of its own.
- 1 or 2 points: a hint that needs a second one (the word `worker` in a name, the port 8080).

Below the threshold a service that is built here or publishes a port is an `app`; any other is unknown.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

from tui.stack.model import Layout, Link, Project, Role, ScaleSpec, Service, ServiceLayout
from tui.stack.project import scale_obstacle

THRESHOLD = 3

# What compose calls the dependency on a service that has done its work.
COMPLETED = "service_completed_successfully"

# Characters of a fact that are looked at; what a project holds is untrusted.
MAX_FACT = 20_000

# Ports whose services speak something else than HTTP.
NOT_HTTP = frozenset({22, 25, 53, 1433, 2181, 3306, 5432, 5672, 6379, 6066, 7077, 7078, 9042, 9083, 9092, 10000, 27017})


@dataclass(frozen=True, slots=True)
class Facts:
    """What a service says of itself, as lower-case text. `variables` holds one NAME=value a line."""

    name: str
    image: str
    runs: str
    variables: str
    ports: str


@dataclass(frozen=True, slots=True)
class Signal:
    """`points` for `role` if `pattern` is found in that fact."""

    role: Role
    points: int
    fact: str
    pattern: re.Pattern[str]


def _signals(role: Role, *rows: tuple[int, str, str]) -> tuple[Signal, ...]:
    return tuple(Signal(role, points, fact, re.compile(pattern, re.MULTILINE)) for points, fact, pattern in rows)


SIGNALS = (
    *_signals(
        Role.SPARK_MASTER,
        (6, "runs", r"deploy\.master\.master\b|start-master\.sh"),
        (5, "variables", r"^spark_(mode|workload)=master$"),
        (3, "image", r"spark-master"),
        (3, "name", r"spark[-_.]?master"),
        (3, "ports", r"^7077$"),
        (1, "name", r"\bmaster\b"),
        (1, "image", r"spark"),
        (1, "variables", r"^spark_master_(host|port|webui_port)="),
        (1, "ports", r"^8080$"),
    ),
    *_signals(
        Role.SPARK_WORKER,
        (6, "runs", r"deploy\.worker\.worker\b|start-(worker|slave)\.sh"),
        (5, "variables", r"^spark_(mode|workload)=(worker|slave)$"),
        (3, "image", r"spark-worker"),
        (3, "name", r"spark[-_.]?(worker|slave)"),
        (2, "name", r"\b(worker|slave)\b"),
        (1, "image", r"spark"),
        (1, "variables", r"^spark_worker_(memory|cores|port|webui_port)="),
        (1, "variables", r"^spark_master(_url)?=spark://"),
        (1, "ports", r"^8081$"),
    ),
    *_signals(
        Role.SPARK_CLIENT,
        (6, "runs", r"\bspark-(submit|shell|sql)\b|\bpyspark\b(?!.*jupyter)"),
        (5, "variables", r"^spark_(mode|workload)=(submit|client|driver)$"),
        (3, "image", r"spark-(submit|client)"),
        (3, "name", r"spark[-_.]?(submit|client|driver|app)\b"),
        (2, "runs", r"^(.* )?(sleep infinity|tail -f /dev/null)$"),
        (1, "image", r"spark"),
        (1, "variables", r"^spark_master(_url)?=spark://"),
    ),
    *_signals(
        Role.MLFLOW,
        (6, "runs", r"\bmlflow\s+(server|ui)\b"),
        (3, "image", r"mlflow"),
        (3, "name", r"\bmlflow\b"),
        (2, "variables", r"^mlflow_(backend_store_uri|artifacts_destination|default_artifact_root)="),
        (1, "ports", r"^5000$"),
    ),
    *_signals(
        Role.JUPYTER,
        (6, "runs", r"\bjupyter(-|\s+)(lab|notebook|server)\b|start-notebook\.(sh|py)"),
        (3, "image", r"jupyter|-notebook\b"),
        (3, "name", r"jupyter|\bnotebooks?\b"),
        (3, "variables", r"^jupyter_(token|enable_lab)="),
        (2, "ports", r"^8888$"),
    ),
    *_signals(
        Role.OBJECT_STORE,
        (6, "runs", r"\b(minio|garage|weed)\s+server\b"),
        (3, "image", r"(^|/)(minio|garage|seaweedfs|localstack|s3mock)\b"),
        (3, "name", r"\b(minio|garage|seaweedfs|s3)$"),
        (3, "variables", r"^minio_(root_user|access_key)="),
        (1, "ports", r"^900[01]$"),
    ),
    *_signals(
        Role.SCHEDULER,
        (
            6,
            "runs",
            r"\bairflow\s+(scheduler|webserver|api-server|standalone|triggerer|dag-processor|celery)\b"
            r"|\bdagster-(webserver|daemon)\b|\bprefect\s+server\b",
        ),
        (3, "image", r"airflow|dagster|prefect"),
        (3, "name", r"airflow|dagster|prefect"),
        (3, "variables", r"^airflow__core__executor="),
    ),
    *_signals(
        Role.DATABASE,
        (
            3,
            "image",
            r"(^|/)(postgres|postgresql|postgis|mysql|mariadb|redis|valkey|mongo|cassandra|mssql)\b",
        ),
        (3, "name", r"^(postgres|postgresql|mysql|mariadb|redis|valkey|mongo|mongodb|db|database)\b"),
        (3, "variables", r"^(postgres_password|mysql_root_password|mariadb_root_password|mongo_initdb_.*)="),
        (3, "ports", r"^(5432|3306|6379|27017|9042|1433)$"),
    ),
    *_signals(
        Role.ONE_SHOT,
        (3, "name", r"\b(init|setup|migrate|migrations?|seed|bootstrap)$"),
        (3, "runs", r"\bairflow\s+db\s+(init|migrate|upgrade)\b|\bmc\s+(mb|alias)\b"),
        (3, "runs", r"\bkedro\s+run\b"),
        (4, "name", r"\b(minio|mc|s3)-?(client|init|setup|buckets?)$"),
        (2, "name", r"^create"),
        (2, "image", r"(^|/)minio/mc\b"),
    ),
    *_signals(
        Role.APP,
        (6, "runs", r"historyserver|thriftserver|start-history-server\.sh"),
        (5, "variables", r"^spark_(mode|workload)=history"),
        (3, "name", r"\bhistory\b"),
        (3, "runs", r"\b(uvicorn|gunicorn|hypercorn|streamlit)\b|\bfastapi\s+run\b|\bkedro\s+viz\b"),
        (3, "name", r"^app\b(?!.*\b(init|setup|migrat\w*|seed|bootstrap)$)"),
    ),
)

# What is shown of a role: a title, the ports of its page (the first published one counts), the path there.
PAGES: dict[Role, tuple[str, tuple[int, ...], str]] = {
    Role.SPARK_MASTER: ("Spark master", (8080,), "/"),
    Role.SPARK_WORKER: ("Spark worker", (8081,), "/"),
    Role.SPARK_CLIENT: ("Spark application", (4040,), "/"),
    Role.MLFLOW: ("MLflow", (5000,), "/"),
    Role.JUPYTER: ("JupyterLab", (8888,), "/lab?token={token}"),
    Role.OBJECT_STORE: ("Object store", (9001, 9000), "/"),
    Role.SCHEDULER: ("Scheduler", (8080, 3000, 4200), "/"),
}
_PORT_CHOICE = {
    Role.SPARK_MASTER: re.compile(r"(?:spark_master_webui_port=|--webui-port[ =])(\d{1,5})"),
    Role.SPARK_WORKER: re.compile(r"(?:spark_worker_webui_port=|--webui-port[ =])(\d{1,5})"),
    Role.JUPYTER: re.compile(r"--(?:serverapp\.|notebookapp\.)?port[ =](\d{1,5})"),
    Role.MLFLOW: re.compile(r"(?:mlflow_port=|--port[ =]|-p )(\d{1,5})"),
}


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
    best = max(Role, key=lambda role: points[role])  # the first of several
    if points[best] >= THRESHOLD:
        return best
    return Role.APP if service.built or service.ports else Role.UNKNOWN


def role_points(project: Project, name: str) -> Counter[Role]:
    """The points of every role that a signal of this service speaks for."""
    facts = _facts(project.services[name])
    points: Counter[Role] = Counter()
    for signal in SIGNALS:
        if signal.pattern.search(getattr(facts, signal.fact)):
            points[signal.role] += signal.points
    if name in awaited(project):
        points[Role.ONE_SHOT] += 6
    return points


def one_shots(project: Project, layout: Layout | None) -> frozenset[str]:
    """The services that end by themselves when their work is done: by role, or because others wait for that."""
    by_role = {name for name in project.services if layout and layout.service(name).role is Role.ONE_SHOT}
    return frozenset(by_role | awaited(project))


def awaited(project: Project) -> frozenset[str]:
    """The services for whose successful end others wait."""
    return frozenset(
        name
        for service in project.services.values()
        for name, condition in service.depends_on.items()
        if condition == COMPLETED
    )


def _facts(service: Service) -> Facts:
    return Facts(
        name=service.name.lower().replace("_", "-"),
        image=service.image.lower()[:MAX_FACT],
        runs=" ".join((*service.entrypoint, *service.command)).lower()[:MAX_FACT],
        variables="\n".join(f"{name}={value}" for name, value in service.environment.items()).lower()[:MAX_FACT],
        ports="\n".join(str(port.target) for port in service.ports),
    )


def _links(service: Service, role: Role) -> tuple[Link, ...]:
    pages = [port.target for port in service.ports if port.protocol == "tcp" and port.target not in NOT_HTTP]
    if not pages or role in (Role.DATABASE, Role.ONE_SHOT):
        return ()
    if role not in PAGES:
        several = len(pages) > 1
        return tuple(Link(f"{service.name} {port}" if several else service.name, port) for port in pages)
    title, usual, path = PAGES[role]
    facts = _facts(service)
    chosen = _PORT_CHOICE[role].search(f"{facts.variables}\n{facts.runs}") if role in _PORT_CHOICE else None
    wanted = (int(chosen[1]), *usual) if chosen else usual
    return (Link(title, next((port for port in wanted if port in pages), pages[0]), path),)


def _scale(workers: list[Service]) -> ScaleSpec | None:
    """The last worker that compose can scale, else the last one, so that `scale` can say what hinders it."""
    if not workers:
        return None
    free = [worker for worker in workers if scale_obstacle(worker) is None]
    grows = (free or workers)[-1].name
    return ScaleSpec(grows, tuple(worker.name for worker in workers if worker.name != grows))
