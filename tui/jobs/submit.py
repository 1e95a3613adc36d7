"""Submitting a job: what runs where, the checks before it, and the run that comes of it."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

from tui.clients.spark_app import RUN_PROPERTY
from tui.engine.interface import Engine, Replica, RunRequest, State
from tui.jobs import airflow_run
from tui.jobs.verdict import Verdict
from tui.stack.model import JobKind, JobSpec, Layout, Project, Role, Stack
from tui.stack.secrets import masked, masked_words

# For a job's preparation: a compiler that is fetched first takes minutes.
PREPARE_SECONDS = 1800
RUN_VARIABLE = "SPARKDECK_RUN"


class SubmitError(Exception):
    """A job cannot be submitted. The text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Run:
    """One try of a job. `args` are what its caller added; `submitted_at` is None for a foreign label.

    `env` is what the driver was given; secrets are masked here and there. `verdict` says how it ended, where
    somebody followed it.
    """

    id: str
    job: str
    args: tuple[str, ...]
    submitted_at: datetime | None
    replica: Replica
    env: Mapping[str, str] = field(default_factory=dict)
    verdict: Verdict | None = None

    @property
    def is_over(self) -> bool:
        """Whether it has ended, well or badly."""
        return self.replica.state is State.ENDED

    @property
    def is_past(self) -> bool:
        """Whether the engine has forgotten it, and its log with it."""
        return not self.replica.id


def find_job(stack: Stack, project: Project, name: str | None, main_class: str | None = None) -> JobSpec:
    """The layout's job of this name (None: its default), or an ad-hoc one for a `.py` or `.jar` file.

    A relative file is looked up in `/apps`, where users put theirs. Raises SubmitError.
    """
    layout = stack.layout
    jobs = {job.name: job for job in layout.jobs} if layout else {}
    if name is None:
        default = layout.default_job() if layout else None
        if default is None:
            raise SubmitError(f"{stack.name} names no job in its layout. Submit a file: /apps/NAME.py or NAME.jar")
        return default
    if name in jobs:
        return replace(jobs[name], main_class=main_class) if main_class else jobs[name]
    if name.endswith((".py", ".jar")):
        client = stack.client(project)
        if client is None:
            raise SubmitError(f"{stack.name} has no service with the role spark-client to submit from.")
        if name.endswith(".jar") and main_class is None:
            raise SubmitError(f"Which class of {name} is to run? Add --class PACKAGE.NAME.")
        app = name if name.startswith("/") else f"/apps/{name}"
        return JobSpec(PurePosixPath(name).stem, client, app, main_class=main_class)
    known = ", ".join(jobs) or "none"
    raise SubmitError(f"{stack.name} has no job {name!r}. It has: {known}. A file must end in .py or .jar.")


def job_command(
    project: Project, job: JobSpec, run: str, args: Sequence[str] = (), conf: Mapping[str, str] | None = None
) -> tuple[list[str], list[str]]:
    """The command of a run in the job's service, empty for the service's own, and the arguments after it. Raises
    SubmitError for what does not fit the job's kind."""
    words = [*job.args, *args]
    if job.kind is JobKind.SPARK:
        return _spark_command(job, run, conf or {}), words
    if job.kind is JobKind.AIRFLOW:
        if args:
            raise SubmitError(f"The DAG run {job.name} takes no arguments; its settings are --conf KEY=VALUE.")
        return _airflow_command(project, job, run, conf or {}), []
    if conf:
        raise SubmitError(f"--conf is for Spark and DAG runs; {job.name} runs a command: its arguments stand after --.")
    return list(job.command), words


def _spark_command(job: JobSpec, run: str, conf: Mapping[str, str]) -> list[str]:
    """spark-submit with the run's id among Spark's properties, where it is found again."""
    command = ["spark-submit", "--conf", f"{RUN_PROPERTY}={run}"]
    for key, value in {**job.conf, **conf}.items():
        command += ["--conf", f"{key}={value}"]
    if job.main_class:
        command += ["--class", job.main_class]
    return [*command, job.app]


# By way of bash: the entrypoint of Airflow's own image makes of every other word, python3 too, a subcommand of airflow.
_PYTHON = ("bash", "-c", 'exec "$(command -v python3 || command -v python)" "$@"', "sparkdeck", "-c")


def _airflow_command(project: Project, job: JobSpec, run: str, conf: Mapping[str, str]) -> list[str]:
    """Our own driver of a DAG run, for the Python of Airflow's service."""
    ports = [port.target for port in project.services[job.service].ports]
    url = f"http://{job.service}:{8080 if 8080 in ports or not ports else ports[0]}"
    settings = json.dumps({**job.conf, **conf})
    source = Path(airflow_run.__file__).read_text("utf-8")
    return [*_PYTHON, source, "--dag", job.dag, "--run", run, "--url", url, "--conf", settings]


async def prepare(engine: Engine, job: JobSpec) -> str:
    """Runs the job's own preparation (building its JAR) and returns what it said. Raises SubmitError."""
    if not job.prepare:
        return ""
    code, output = await engine.execute(job.service, job.prepare, timeout=PREPARE_SECONDS)
    if code != 0:
        raise SubmitError(f"{' '.join(job.prepare)} failed with exit code {code}:\n{output.strip()}")
    return output.strip()


async def check_running(engine: Engine, stack: Stack, project: Project, job: JobSpec) -> None:
    """Whether the services that a run needs are up. Raises SubmitError.

    For Spark its own and the master, for a DAG run Airflow's, for a one-off run those that its service depends on.
    """
    running = {item.service for item in await engine.replicas() if item.state is State.RUNNING and not item.is_run}
    layout = stack.layout
    down = [name for name in project.services if _is_needed(layout, project, job, name) and name not in running]
    if down:
        raise SubmitError(f"{' and '.join(down)} of {stack.name} must be up to run a job. Start it: sparkdeck up")


def _is_needed(layout: Layout | None, project: Project, job: JobSpec, name: str) -> bool:
    if job.kind is JobKind.RUN:
        condition = project.services[job.service].depends_on.get(name)
        return condition is not None and condition != "service_completed_successfully"
    is_master = layout is not None and layout.service(name).role is Role.SPARK_MASTER
    return name == job.service or (job.kind is JobKind.SPARK and is_master)


def check_file(project: Project, job: JobSpec) -> None:
    """Whether the application's file is there, as far as the host can see it. Raises SubmitError."""
    host = project.host_path(job.service, job.app) if job.app else None
    if host is not None and not host.is_file():
        raise SubmitError(f"{job.app} of the job {job.name} is not there: no file {host}")


async def submit(
    engine: Engine,
    project: Project,
    job: JobSpec,
    args: Sequence[str] = (),
    *,
    conf: Mapping[str, str] | None = None,
    env: Mapping[str, str] | None = None,
) -> Run:
    """Starts a run of a job in the background. `env` overrides the job's own environment.

    Raises EngineError, and SubmitError for arguments that do not fit its kind.
    """
    run = new_run_id(job.name)
    command, arguments = job_command(project, job, run, args, conf)
    own = {**job.env, **(env or {})}
    return await start_run(engine, project, job.service, job.name, run, command, args, own, arguments=arguments)


def new_run_id(job: str) -> str:
    """An id that a person can read and type: the job and six hex digits."""
    return f"{job}-{secrets.token_hex(3)}"


async def start_run(
    engine: Engine,
    project: Project,
    service: str,
    job: str,
    run: str,
    command: Sequence[str],
    args: Sequence[str],
    env: Mapping[str, str],
    *,
    arguments: Sequence[str] = (),
) -> Run:
    """Starts any command as a run that outlives its caller and can be found again by its labels.

    `args` are what the caller's user added, for the labels; `arguments` follow the command.
    """
    labels = {
        "run": run,
        "job": job,
        "args": json.dumps(masked_words(args)),
        "env": json.dumps({name: masked(name, value) for name, value in env.items()}),
        "submitted": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    given = {**env, RUN_VARIABLE: run}
    request = RunRequest(service, command, f"{project.name}-{run}", labels, given, arguments)
    return run_of(await engine.start_run(request))


def has_driver(replica: Replica) -> bool:
    """Whether a run is an application on Spark, as its command tells."""
    return any(RUN_PROPERTY in word for word in replica.command)


def run_of(replica: Replica) -> Run:
    """The run that a replica's labels tell of; what they do not tell is unknown."""
    labels = replica.labels
    args: tuple[str, ...] = ()
    env: dict[str, str] = {}
    with suppress(ValueError, TypeError, RecursionError):
        args = tuple(masked_words([str(item) for item in json.loads(labels.get("args", "[]"))]))
    with suppress(ValueError, AttributeError, RecursionError):
        env = {str(name): masked(name, str(value)) for name, value in json.loads(labels.get("env", "{}")).items()}
    submitted = replica.created_at
    with suppress(KeyError, ValueError):
        submitted = datetime.fromisoformat(labels["submitted"])
    return Run(labels.get("run", replica.name), labels.get("job", "?"), args, submitted, replica, env)


async def find_runs(engine: Engine) -> list[Run]:
    """Every run that the engine still knows, newest first."""
    runs = [run_of(replica) for replica in await engine.replicas() if replica.is_run]
    return sorted(runs, key=lambda run: (run.submitted_at is not None, run.submitted_at), reverse=True)


def find_run(runs: Sequence[Run], name: str) -> Run:
    """Of runs, newest first, the one of this id, or the newest of the job of this name. Raises SubmitError."""
    for run in runs:
        if run.id == name:
            return run
    for run in runs:
        if run.job == name:
            return run
    known = ", ".join(run.id for run in runs[:6]) or "none yet"
    raise SubmitError(f"There is no run {name!r}. The newest: {known}.")
