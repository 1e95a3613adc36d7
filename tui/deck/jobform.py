"""The submit form's meaning: from fields to a job and its settings, and from an earlier run back to fields."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field

from tui.clients.spark_master import MasterState
from tui.jobs.find import check_files, find_job
from tui.jobs.kinds import KINDS, kind_of
from tui.jobs.kinds.kind import SubmitError
from tui.jobs.submit import Run, check_running
from tui.stack.model import JobSpec
from tui.stack.secrets import MASK
from tui.watch.session import Session


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


def submission(ready: Session, form: Form) -> Submission:
    """The job and settings that a form describes. Raises SubmitError."""
    job = find_job(ready.stack, ready.project, form.job or None, form.main_class or None)
    # What stands in the fields of another kind is not meant.
    kind = KINDS[job.kind]
    form = Form(form.job, **{name: getattr(form, name) for name in kind.fields})
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
    conf |= kind.conf_of(asdict(form))
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
            check_files(ready.engine.info, ready.project, made.job)
        except SubmitError as error:
            found.append(str(error))
    if spark is not None:
        service = ready.project.services.get(made.job.service)
        found += KINDS[made.job.kind].room(service, {**made.job.conf, **made.conf}, spark)
    return found


def form_of(run: Run, layout_jobs: Sequence[JobSpec]) -> Form:
    """The form that a run was made from."""
    job = next((job for job in layout_jobs if job.name == run.job), None)
    labels, kind = run.replica.labels, KINDS[job.kind] if job else kind_of(run.replica)
    tasks = run.env.get("TASKS", "")
    fields, rest = kind.fields_of(run.conf)
    return Form(
        job=run.job if job else labels.get("app", run.job),
        main_class="" if job else labels.get("class", ""),
        args=shlex.join(run.args),
        tasks=tasks if job is None or tasks != job.env.get("TASKS") else "",
        confs="; ".join(f"{key}={value}" for key, value in rest.items()),
        **fields,
    )


def verb_words(form: Form, made: Submission) -> list[str]:
    """The words after `sparkdeck --stack NAME` that submit the same."""
    line = ["submit", form.job or made.job.name]
    if form.main_class:
        line += ["--class", form.main_class]
    for key, value in made.conf.items():
        line += ["--conf", f"{key}={value}"]
    for key, value in made.env.items():
        line += ["--env", f"{key}={value}"]
    return [*line, *(["--", *made.args] if made.args else [])]
