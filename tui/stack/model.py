"""The words of a stack: layout, services, roles, links, jobs; and the compose project they describe."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from fnmatch import fnmatchcase
from pathlib import Path


class Role(StrEnum):
    """What a service is for. `unknown` is a service that no layout names and no signal gives away."""

    SPARK_MASTER = "spark-master"
    SPARK_WORKER = "spark-worker"
    SPARK_CLIENT = "spark-client"
    MLFLOW = "mlflow"
    JUPYTER = "jupyter"
    OBJECT_STORE = "object-store"
    SCHEDULER = "scheduler"
    DATABASE = "database"
    APP = "app"
    ONE_SHOT = "one-shot"
    SPARK_HISTORY = "spark-history"
    SPARK_CONNECT = "spark-connect"
    SPARK_THRIFT = "spark-thrift"
    KAFKA = "kafka"
    ZOOKEEPER = "zookeeper"
    NAMENODE = "namenode"
    DATANODE = "datanode"
    RESOURCE_MANAGER = "resource-manager"
    NODE_MANAGER = "node-manager"
    METASTORE = "metastore"
    CATALOG = "catalog"
    TRINO = "trino"
    FLINK = "flink"
    SUPERSET = "superset"
    GRAFANA = "grafana"
    PROMETHEUS = "prometheus"
    UNKNOWN = "unknown"


class Generated(StrEnum):
    """How a variable that the first `setup` writes into `.env` gets its value."""

    PROJECT_NAME = "project-name"
    USER_ID = "user-id"
    GROUP_ID = "group-id"
    NONROOT_USER_ID = "nonroot-user-id"
    NONROOT_GROUP_ID = "nonroot-group-id"
    ACCESS_KEY = "access-key"
    SECRET_KEY = "secret-key"

    @property
    def is_credential(self) -> bool:
        """Whether the value is made at random, once, and never shown unasked."""
        return self in (Generated.ACCESS_KEY, Generated.SECRET_KEY)

    @property
    def is_user(self) -> bool:
        """Whether it is the id of the user whom services run as."""
        return self in (Generated.USER_ID, Generated.NONROOT_USER_ID)

    @property
    def is_group(self) -> bool:
        """Whether it is the id of that user's group."""
        return self in (Generated.GROUP_ID, Generated.NONROOT_GROUP_ID)


class JobKind(StrEnum):
    """How a job runs: by spark-submit, as a one-off run of a service, or as a DAG run of Airflow."""

    SPARK = "spark"
    RUN = "run"
    AIRFLOW = "airflow"


@dataclass(frozen=True, slots=True)
class Link:
    """A web UI.

    `port` is the service's own port; the host's port is looked up in the compose project. `service` says
    whose port it is where the page is served by another one (a Spark worker's through its master). `path`
    may hold `{worker_id}` (the id under which the Spark master knows the replica) and `{token}` (Jupyter's).
    """

    title: str
    port: int
    path: str = "/"
    service: str | None = None


@dataclass(frozen=True, slots=True)
class ReadySpec:
    """When a process is healthy: `url` answers and, if `text` is given, holds that."""

    url: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class ServiceProcess:
    """What is different where a service is a process of this machine; all else is as in the compose project.

    Texts may hold `{port:N}` (the machine's port for the service's own N), `{port:SERVICE:N}`, `{path:/FOLDER}` (where
    a folder of the service lies here), `{state}` (the stack's private folder), `{python}` and `{spark}` (SPARK_HOME).
    `files` are written below `{state}/files`. `requirements` is a file of the compose folder: the service's Python
    packages, in an environment of its own, whose Python is then `{python}`.
    """

    command: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    ready: ReadySpec | None = None
    requirements: str = ""


@dataclass(frozen=True, slots=True)
class BuildSpec:
    """Something that is made once into the user's cache; `{build:NAME}` is its folder.

    `command` may hold `{folder}` (the compose project's) and `{target}` (where it writes). With `requirements`, a file
    of the compose folder, it runs in a Python environment of its own.
    """

    name: str
    command: tuple[str, ...]
    title: str = ""
    requirements: str = ""


@dataclass(frozen=True, slots=True)
class FitSpec:
    """Which variables of the compose project make the workers fit the machine.

    `workers`: names or shell patterns. `memory` and `cores`: the variables of one worker; `executors`: those of what
    an executor takes. `reserve`: memory for everything else, in bytes.
    """

    workers: tuple[str, ...]
    memory: str
    cores: str
    executors: tuple[str, ...] = ()
    reserve: int = 0


@dataclass(frozen=True, slots=True)
class ProcessSpec:
    """How the stack runs without Docker. Texts hold the same `{...}` as those of `ServiceProcess`.

    `packages`: Python distributions that must be there. `spark_defaults`: Spark's own settings as a path inside a
    service, `spark_conf` what goes before them. `env` is for every service; `folders` (inside a service) are made.
    """

    packages: tuple[str, ...] = ()
    spark_defaults: str = ""
    spark_conf: Mapping[str, str] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)
    folders: tuple[str, ...] = ()
    fit: FitSpec | None = None
    builds: tuple[BuildSpec, ...] = ()


@dataclass(frozen=True, slots=True)
class ServiceLayout:
    """What the layout says of the services whose names match `pattern` (a name or a shell pattern)."""

    pattern: str
    role: Role = Role.UNKNOWN
    title: str = ""
    links: tuple[Link, ...] = ()
    process: ServiceProcess = field(default_factory=ServiceProcess)


@dataclass(frozen=True, slots=True)
class JobSpec:
    """A job that the stack offers.

    Of kind spark it is `spark-submit [--class main_class] [--conf k=v] app args` in `service`; of kind run `command`
    (or the service's own) with `args`; of kind airflow a run of `dag` with `conf`. Paths are those inside the service.
    `prepare` is a command run there before each submit (building a JAR); `env` are defaults that a caller's own
    environment variables of the same names override. `files` of this machine are seen by a run under these paths;
    `origin` is where its `app` lies on this machine, if it does. `searched`: spark-submit may not be on the PATH.
    """

    name: str
    service: str
    app: str = ""
    title: str = ""
    main_class: str | None = None
    args: tuple[str, ...] = ()
    conf: Mapping[str, str] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)
    prepare: tuple[str, ...] = ()
    default: bool = False
    kind: JobKind = JobKind.SPARK
    command: tuple[str, ...] = ()
    dag: str = ""
    files: Mapping[Path, str] = field(default_factory=dict)
    origin: str = ""
    searched: bool = False


@dataclass(frozen=True, slots=True)
class DataSpec:
    """How sample data is made: `command` (plus the caller's arguments) in `service`, into `folder` there.

    `before_start`: services need it when they start.
    """

    service: str
    folder: str
    command: tuple[str, ...]
    before_start: bool = False


@dataclass(frozen=True, slots=True)
class Variant:
    """One of several ways to open a stack: which compose files are merged, in this order."""

    name: str
    title: str
    files: tuple[str, ...]
    default: bool = False


@dataclass(frozen=True, slots=True)
class ScaleSpec:
    """Which services are the workers: `fixed` ones with names of their own, then replicas of `service`."""

    service: str
    fixed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Layout:
    """What a stack's services are for and how to show them; loaded from YAML by `tui.stack.layout`.

    `environment`: variables that the first setup writes; `variables`: what those that a user must set are for.
    """

    name: str = ""
    title: str = ""
    source: Path | None = None
    description: str = ""
    services: tuple[ServiceLayout, ...] = ()
    jobs: tuple[JobSpec, ...] = ()
    data: DataSpec | None = None
    scale: ScaleSpec | None = None
    environment: Mapping[str, Generated] = field(default_factory=dict)
    process: ProcessSpec | None = None
    variants: tuple[Variant, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)

    def service(self, name: str) -> ServiceLayout:
        """The entry for a service: its exact name first, then the first pattern that matches, or unknown."""
        exact = next((entry for entry in self.services if entry.pattern == name), None)
        if exact is not None:
            return exact
        matching = (entry for entry in self.services if fnmatchcase(name, entry.pattern))
        return next(matching, ServiceLayout(pattern=name))

    def default_job(self) -> JobSpec | None:
        """The job marked as default, else the first one, else None."""
        return next((job for job in self.jobs if job.default), self.jobs[0] if self.jobs else None)


NO_LAYOUT = Layout()
"""Of a stack that brings none: it knows no service, job or variable."""


@dataclass(frozen=True, slots=True)
class Stack:
    """A compose project on disk plus its layout.

    `folder` is the compose project's folder. `home` is where what belongs to this user is kept: `.env` and
    `work/`; it is `folder` itself but for stacks that an installed package brings, whose folder may be
    read-only. `env_files` are settings that were named instead of its `.env`, later ones go before; `project_name` is
    empty where compose finds it; `profiles` are the active ones.
    `layout` is NO_LAYOUT until roles are detected from the compose project (`tui.stack.roles`). `words` stand before a
    verb of `sparkdeck` to find this very stack again from the same folder.
    """

    name: str
    folder: Path
    files: tuple[Path, ...]
    home: Path
    layout: Layout = NO_LAYOUT
    bundled: bool = False
    variant: Variant | None = None
    words: tuple[str, ...] = ()
    env_files: tuple[Path, ...] = ()
    project_name: str = ""
    profiles: tuple[str, ...] = ()

    @property
    def env_file(self) -> Path:
        """The file with this user's settings, the one that goes before others; it need not exist."""
        return self.env_files[-1] if self.env_files else self.home / ".env"

    @property
    def env_example(self) -> Path:
        """The commented defaults that `.env` is made from; it need not exist."""
        return self.folder / ".env.example"

    def role(self, service: str) -> Role:
        """What a service is for."""
        return self.layout.service(service).role

    def with_role(self, project: Project, role: Role) -> list[str]:
        """The services that are for this, in the project's order."""
        return [name for name in project.services if self.role(name) is role]

    def client(self, project: Project) -> str | None:
        """The service that jobs are submitted from: the first client of the cluster; None without any."""
        return next(iter(self.with_role(project, Role.SPARK_CLIENT)), None)

    def shell_service(self, project: Project) -> str:
        """Where a shell opens if no service is named: the client, else the first service."""
        return self.client(project) or next(iter(project.services))


# The compose project as `docker compose config --format json` (or another engine) resolves it.


@dataclass(frozen=True, slots=True)
class Port:
    """A port of a service. `published` is None where the host's port is chosen at start."""

    target: int
    published: int | None
    host: str = ""
    protocol: str = "tcp"


@dataclass(frozen=True, slots=True)
class Mount:
    """A folder, volume or file that a service sees at `target`. Only a `bind` has a host path as `source`."""

    kind: str
    source: str
    target: str
    read_only: bool = False


@dataclass(frozen=True, slots=True)
class Service:
    """A service of a compose project, resolved. `replicas` is how many the project itself asks for."""

    name: str
    image: str = ""
    built: bool = False
    command: tuple[str, ...] = ()
    entrypoint: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    ports: tuple[Port, ...] = ()
    mounts: tuple[Mount, ...] = ()
    depends_on: Mapping[str, str] = field(default_factory=dict)
    profiles: tuple[str, ...] = ()
    replicas: int = 1
    has_health_check: bool = False
    health_test: tuple[str, ...] = ()
    container_name: str | None = None
    restart: str = "no"


@dataclass(frozen=True, slots=True)
class Project:
    """A compose project, resolved: its name and every service, those behind profiles included."""

    name: str
    services: Mapping[str, Service]
    volumes: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()

    def host_path(self, service: str, path: str) -> Path | None:
        """Where a path inside a service lies on the host, or None if no mounted folder holds it."""
        found: Mount | None = None
        for mount in self.services[service].mounts:
            inside = path == mount.target or path.startswith(mount.target.rstrip("/") + "/")
            if mount.kind == "bind" and inside and (found is None or len(mount.target) > len(found.target)):
                found = mount
        return Path(found.source) / path[len(found.target) :].lstrip("/") if found else None
