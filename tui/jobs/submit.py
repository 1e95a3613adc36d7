"""Submitting a job: what runs where, the checks before it, and the run that comes of it."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tui.engine.interface import Engine, Replica, RunRequest, State
from tui.jobs.kinds import KINDS, kind_of
from tui.jobs.kinds.kind import SubmitError
from tui.jobs.verdict import Verdict
from tui.stack.model import JobSpec, Project, Stack
from tui.stack.secrets import masked, masked_record, masked_words
from tui.watch.outlast import Outlast

# For a job's preparation: a compiler that is fetched first takes minutes.
PREPARE_SECONDS = 1800
RUN_VARIABLE = "SPARKDECK_RUN"


@dataclass(frozen=True, slots=True)
class Run:
    """One try of a job. `args` are what its caller added; `submitted_at` is None for a foreign label.

    `conf` too; `env` is what the driver was given; secrets are masked in all of them. `verdict` says how it ended,
    where somebody followed it.
    """

    id: str
    job: str
    args: tuple[str, ...]
    submitted_at: datetime | None
    replica: Replica
    env: Mapping[str, str] = field(default_factory=dict)
    conf: Mapping[str, str] = field(default_factory=dict)
    verdict: Verdict | None = None

    @property
    def is_over(self) -> bool:
        """Whether it has ended, well or badly."""
        return self.replica.state is State.ENDED

    @property
    def is_past(self) -> bool:
        """Whether the engine has forgotten it, and its log with it."""
        return not self.replica.id


async def prepare(engine: Engine, job: JobSpec) -> str:
    """Runs the job's own preparation (building its JAR) and returns what it said. Raises SubmitError."""
    if not job.prepare:
        return ""
    code, output = await engine.execute(job.service, job.prepare, timeout=PREPARE_SECONDS)
    if code != 0:
        raise SubmitError(f"{' '.join(job.prepare)} failed with exit code {code}:\n{output.strip()}")
    return output.strip()


async def check_running(engine: Engine, stack: Stack, project: Project, job: JobSpec) -> None:
    """Whether the services that a run needs are up. Raises SubmitError."""
    running = {item.service for item in await engine.replicas() if item.state is State.RUNNING and not item.is_run}
    needed = KINDS[job.kind].needs(stack, project, job)
    down = [name for name in project.services if name in needed and name not in running]
    if down:
        raise SubmitError(f"{' and '.join(down)} of {stack.name} must be up to run a job. Start it: sparkdeck up")


async def submit(
    engine: Engine,
    project: Project,
    job: JobSpec,
    args: Sequence[str] = (),
    *,
    conf: Mapping[str, str] | None = None,
    env: Mapping[str, str] | None = None,
    told: Callable[[str], None] = lambda text: None,
) -> Run:
    """Starts a run of a job that outlives its caller and can be found again by its labels. `env` overrides the job's
    own environment; `told` hears of an outage, over which the run is started once and not twice.

    Raises EngineError, and SubmitError for arguments that do not fit its kind.
    """
    run = f"{job.name}-{secrets.token_hex(3)}"
    command, arguments = KINDS[job.kind].command(project, job, run, args, conf or {})
    given = {**job.env, **(env or {})}
    labels = {
        "run": run,
        "job": job.name,
        "kind": job.kind,
        "app": job.origin or job.app,
        "class": job.main_class or "",
        "args": json.dumps(masked_words(args)),
        "conf": json.dumps(masked_record(conf or {})),
        "env": json.dumps(masked_record(given)),
        "submitted": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    name = f"{project.name}-{run}"
    request = RunRequest(job.service, command, name, labels, {**given, RUN_VARIABLE: run}, arguments, job.files)
    asked = False

    async def start() -> Replica:
        nonlocal asked
        # An answer may be lost whose run is there.
        found = [one for one in await engine.replicas() if one.labels.get("run") == run] if asked else []
        asked = True
        if found and found[0].state is State.CREATED:
            await engine.start_replica(found[0].id)
        return found[0] if found else await engine.start_run(request)

    return run_of(await Outlast(engine, told).until(start))


async def cancel(engine: Engine, run: Replica) -> None:
    """Ends a run, politely first: a driver frees its executors. Raises EngineError."""
    await engine.end(run.id, grace_seconds=kind_of(run).grace_seconds)


def run_of(replica: Replica) -> Run:
    """The run that a replica's labels tell of; what they do not tell is unknown."""
    labels = replica.labels

    def read(name: str, usual: Any) -> Any:
        with suppress(ValueError, RecursionError):
            return json.loads(labels.get(name, ""))
        return usual

    def pairs(name: str) -> dict[str, str]:
        found = read(name, {})
        return {key: masked(key, str(value)) for key, value in found.items()} if isinstance(found, dict) else {}

    args = read("args", [])
    submitted = replica.created_at
    with suppress(KeyError, ValueError):
        submitted = datetime.fromisoformat(labels["submitted"])
    return Run(
        id=labels.get("run", replica.name),
        job=labels.get("job", "?"),
        args=tuple(masked_words(list(map(str, args)))) if isinstance(args, list) else (),
        submitted_at=submitted,
        replica=replica,
        env=pairs("env"),
        conf=pairs("conf"),
    )


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
