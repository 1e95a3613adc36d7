"""The submit form's meaning: from fields to a job and its settings, and from an earlier run back to fields."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from tui.clients.spark_app import RUN_PROPERTY
from tui.clients.spark_master import MasterState
from tui.deck import words
from tui.jobs.submit import Run, SubmitError, check_file, check_running, find_job
from tui.stack.model import JobKind, JobSpec
from tui.stack.secrets import MASK, masked, masked_record, masked_words
from tui.watch.session import Session

# What an executor takes unless the form, the job or the client's environment says otherwise: Spark's own default.
# (What it needs outside the heap a standalone master does not count.)
DEFAULT_EXECUTOR = "1g"
EXECUTOR_VARIABLE = "SPARK_EXECUTOR_MEMORY"
CONFS = {
    "driver_memory": "spark.driver.memory",
    "executor_memory": "spark.executor.memory",
    "cores": "spark.cores.max",
    "jars": "spark.jars",
}
# The fields that a job's kind has.
FIELDS_OF = {
    JobKind.SPARK: ("main_class", "args", "tasks", "driver_memory", "executor_memory", "cores", "jars", "confs"),
    JobKind.RUN: ("args",),
    JobKind.AIRFLOW: ("confs",),
}
_UNITS = {"k": 1024, "m": 1024**2, "g": 1024**3, "t": 1024**4}


@dataclass(frozen=True, slots=True)
class Form:
    """What the fields say. `job` is a layout's job or a file in `/apps`; `confs` are lines of KEY=VALUE."""

    job: str = ""
    main_class: str = ""
    args: str = ""
    tasks: str = ""
    driver_memory: str = ""
    executor_memory: str = ""
    cores: str = ""
    jars: str = ""
    confs: str = ""


@dataclass(frozen=True, slots=True)
class Submission:
    """What will be submitted."""

    job: JobSpec
    args: tuple[str, ...]
    conf: Mapping[str, str]
    env: Mapping[str, str] = field(default_factory=dict)


def memory_bytes(text: str) -> int:
    """Spark's way to write memory (512m, 2g; a number alone is MiB) in bytes. Raises SubmitError."""
    body = text.strip().lower().removesuffix("b")
    unit = _UNITS.get(body[-1:], 0)
    number = body[:-1] if unit else body
    if not number.isdigit() or int(number) == 0:
        raise SubmitError(f"{text!r} is no memory size; write 512m or 2g.")
    return int(number) * (unit or _UNITS["m"])


def submission(ready: Session, form: Form) -> Submission:
    """The job and settings that a form describes. Raises SubmitError."""
    job = find_job(ready.stack, ready.project, form.job or None, form.main_class or None)
    # What stands in the fields of another kind is not meant.
    form = Form(form.job, **{name: getattr(form, name) for name in FIELDS_OF[job.kind]})
    try:
        args = tuple(shlex.split(form.args))
    except ValueError as error:
        raise SubmitError(f"The arguments cannot be read: {error}.") from error
    conf: dict[str, str] = {}
    for line in form.confs.replace(";", "\n").splitlines():
        key, sign, value = line.strip().partition("=")
        if line.strip() and (not sign or not key.strip()):
            raise SubmitError(f"A conf is KEY=VALUE, not {line.strip()!r}.")
        if sign:
            conf[key.strip()] = value.strip()
    for name in ("driver_memory", "executor_memory"):
        if value := getattr(form, name).strip():
            memory_bytes(value)
            conf[CONFS[name]] = value
    if cores := form.cores.strip():
        if not cores.isdigit() or int(cores) == 0:
            raise SubmitError(f"{cores!r} is no number of cores.")
        conf[CONFS["cores"]] = cores
    if form.jars.strip():
        conf[CONFS["jars"]] = form.jars.strip()
    env = {"TASKS": form.tasks.strip()} if form.tasks.strip() else {}
    if any(MASK in text for text in (*args, *conf.values())):
        raise SubmitError(f"The secrets of an earlier run are not kept: write them in place of {MASK}.")
    return Submission(job, args, conf, env)


async def problems(ready: Session, made: Submission, spark: MasterState | None) -> list[str]:
    """What speaks against submitting now; empty if nothing does. Raises EngineError."""
    found = []
    try:
        await check_running(ready.engine, ready.stack, ready.project, made.job)
    except SubmitError as error:
        found.append(str(error))
    if not made.job.prepare:
        try:
            check_file(ready.project, made.job)
        except SubmitError as error:
            found.append(str(error))
    if spark is not None and made.job.kind is JobKind.SPARK:
        found += _memory_problems(made, spark, default_memory(ready, made.job.service, EXECUTOR_VARIABLE))
    return found


def default_memory(ready: Session, service: str, variable: str) -> str:
    """What the service's environment gives a driver or an executor, else what Spark does."""
    found = ready.project.services.get(service)
    return (found.environment.get(variable) if found else None) or DEFAULT_EXECUTOR


def _memory_problems(made: Submission, spark: MasterState, default: str) -> list[str]:
    workers = spark.alive_workers()
    if not workers:
        return ["No worker is registered with the Spark master: the job would wait."]
    wanted = memory_bytes({**made.job.conf, **made.conf}.get(CONFS["executor_memory"], default))
    largest = max(worker.memory for worker in workers)
    if wanted > largest:
        return [f"No worker can give an executor {words.size(wanted)}: the largest offers {words.size(largest)}."]
    free = max(worker.memory - worker.memory_used for worker in workers)
    if wanted > free:
        return [f"It would wait: an executor needs {words.size(wanted)}, the most that is free is {words.size(free)}."]
    return []


def form_of(run: Run, layout_jobs: Sequence[JobSpec]) -> Form:
    """The form that a run was made from, read from its own command."""
    known = {job.name: job for job in layout_jobs}
    tasks = run.env.get("TASKS", "")
    usual = known[run.job].env.get("TASKS") if run.job in known else None
    form = Form(job=run.job, args=shlex.join(run.args), tasks=tasks if tasks != usual else "")
    command = masked_words(run.replica.command)
    own = {key: masked(key, value) for key, value in known[run.job].conf.items()} if run.job in known else {}
    if run.job in known and known[run.job].kind is not JobKind.SPARK:
        return replace(form, confs=_dag_confs(run.replica.command, own))
    confs: dict[str, str] = {}
    at = 1
    while at < len(command):
        if command[at] == "--conf" and at + 1 < len(command):
            key, _, value = command[at + 1].partition("=")
            if key != RUN_PROPERTY and own.get(key) != value:
                confs[key] = value
            at += 2
        elif command[at] == "--class" and at + 1 < len(command):
            form = replace(form, main_class=command[at + 1] if run.job not in known else "")
            at += 2
        else:
            if run.job not in known:
                form = replace(form, job=command[at])
            break
    named = {name: confs.pop(key) for name, key in CONFS.items() if key in confs}
    rest = "; ".join(f"{key}={value}" for key, value in confs.items())
    return replace(form, confs=rest, **named)


def _dag_confs(command: Sequence[str], own: Mapping[str, str]) -> str:
    """What a DAG run's command has beyond the job's own conf."""
    try:
        confs = json.loads(command[command.index("--conf") + 1])
        return "; ".join(f"{key}={value}" for key, value in masked_record(confs).items() if own.get(key) != value)
    except (ValueError, IndexError, AttributeError):
        return ""


def verb_words(form: Form, made: Submission) -> list[str]:
    """The words after `sparkdeck --stack NAME` that submit the same."""
    line = ["submit", form.job or made.job.name]
    if form.main_class:
        line += ["--class", form.main_class]
    for key, value in made.conf.items():
        line += ["--conf", shlex.quote(f"{key}={value}")]
    for key, value in made.env.items():
        line += ["--env", shlex.quote(f"{key}={value}")]
    return [*line, *(["--", shlex.join(made.args)] if made.args else [])]
