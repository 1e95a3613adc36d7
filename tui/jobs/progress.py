"""How far a run is: per stage and per step from Spark's REST API, or from the driver's own progress bars."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from tui.clients.spark_app import SparkJob, Stage
from tui.clients.spark_master import WAITING, Application, MasterState
from tui.clients.text import plain

ETA_TASKS = 3
ETA_FRACTION = 0.05
# Tasks that take this many times the mean are stragglers; below so many seconds nobody waits for them.
OVERDUE_TIMES, OVERDUE_SECONDS = 3.0, 5.0


@dataclass(frozen=True, slots=True)
class StageProgress:
    """A stage that runs. `fraction` 0 to 1, None if it has no tasks; `eta_seconds` None while unknown.

    `overdue`: every active task takes far longer than those that have finished, so there is no ETA.
    """

    stage_id: int
    attempt: int
    name: str
    step: str | None
    done: int
    active: int
    failed: int
    total: int
    fraction: float | None
    eta_seconds: float | None
    overdue: bool = False


@dataclass(frozen=True, slots=True)
class RunProgress:
    """What a run does now. `steps` are the names of what it works on, most often one.

    There is no fraction of the whole: adaptive execution adds jobs as it goes.
    """

    steps: tuple[str, ...]
    stages: tuple[StageProgress, ...]
    jobs_running: int
    jobs_done: int
    jobs_failed: int


def job_fraction(job: SparkJob) -> float | None:
    """numCompletedIndices / (numTasks - numSkippedTasks), 0 to 1; None if there is nothing to do."""
    return _fraction(job.num_completed_indices, job.num_tasks - job.num_skipped_tasks)


def stage_eta_seconds(stage: Stage) -> float | None:
    """Remaining tasks x mean duration of finished ones / active tasks, in seconds.

    None before 3 tasks or 5 %, and where no task is active: the figure would be a guess.
    """
    fraction = _fraction(stage.num_completed_indices, stage.num_tasks)
    if fraction is None or fraction < ETA_FRACTION or stage.num_completed_indices < ETA_TASKS:
        return None
    mean = _mean_seconds(stage)
    if mean is None or stage.num_active_tasks <= 0:
        return None
    remaining = max(stage.num_tasks - stage.num_completed_indices, 0)
    return remaining * mean / stage.num_active_tasks


def _mean_seconds(stage: Stage) -> float | None:
    finished = _finished(stage)
    if stage.executor_run_time is None or finished == 0:
        return None
    return (stage.executor_run_time + (stage.executor_deserialize_time or 0)) / finished / 1000


def _finished(stage: Stage) -> int:
    return stage.num_complete_tasks + stage.num_failed_tasks


class Pace:
    """When tasks of each stage last finished: Spark's sums know nothing of tasks that hang.

    `now` is a clock in seconds that never goes back.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._seen: dict[tuple[int, int], tuple[int, float]] = {}

    def look(self, stages: Iterable[Stage]) -> set[tuple[int, int]]:
        """Ids and attempts of the active stages in which no task has finished for three mean durations, and 5 s."""
        now, before = self._now(), self._seen
        self._seen = {}
        overdue = set()
        for stage in stages:
            key = (stage.stage_id, stage.attempt_id)
            finished, since = before.get(key, (-1, now))
            if finished != _finished(stage):
                since = now
            self._seen[key] = (_finished(stage), since)
            mean = _mean_seconds(stage)
            if (
                mean is not None
                and stage_eta_seconds(stage) is not None
                and now - since > max(OVERDUE_SECONDS, OVERDUE_TIMES * mean)
            ):
                overdue.add(key)
        return overdue


def step_name(job: SparkJob) -> str | None:
    """What a job is for: its description, else its group; None if the application named neither.

    Spark's own groups (broadcasts, streams) are UUIDs and say nothing to a reader.
    """
    if job.job_group and _is_uuid(job.job_group):
        return None
    return plain(job.description or job.job_group or "") or None


def run_progress(
    jobs: Sequence[SparkJob], active_stages: Sequence[Stage], overdue: Collection[tuple[int, int]] = ()
) -> RunProgress:
    """The progress of a run from `AppClient.jobs`, `AppClient.active_stages` and what `Pace.look` says of these."""
    running = sorted((job for job in jobs if job.status == "RUNNING"), key=lambda job: job.job_id)
    job_of = {stage_id: job for job in running for stage_id in job.stage_ids}
    stages = []
    for stage in sorted(active_stages, key=lambda stage: (stage.stage_id, stage.attempt_id)):
        job = job_of.get(stage.stage_id)
        late = (stage.stage_id, stage.attempt_id) in overdue
        stages.append(
            StageProgress(
                stage_id=stage.stage_id,
                attempt=stage.attempt_id,
                name=plain(stage.name),
                step=step_name(job) if job else plain(stage.description or "") or None,
                done=stage.num_completed_indices,
                active=stage.num_active_tasks,
                failed=stage.num_failed_tasks,
                total=stage.num_tasks,
                fraction=_fraction(stage.num_completed_indices, stage.num_tasks),
                eta_seconds=None if late else stage_eta_seconds(stage),
                overdue=late,
            )
        )
    steps = dict.fromkeys(step for job in running if (step := step_name(job)))
    return RunProgress(
        steps=tuple(steps),
        stages=tuple(stages),
        jobs_running=len(running),
        jobs_done=sum(job.status == "SUCCEEDED" for job in jobs),
        jobs_failed=sum(job.status == "FAILED" for job in jobs),
    )


def _fraction(done: int, total: int) -> float | None:
    return min(max(done / total, 0.0), 1.0) if total > 0 else None


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


# The driver's own progress bars, for when no port can be reached.

_BAR = re.compile(r"\[Stage (\d{1,9}):=*>? *\((\d{1,9}) \+ (\d{1,9})\) / (\d{1,9})\]")
_NOT_ACCEPTED = re.compile(
    r"^[\d/ :.-]{8,30} WARN +(?:\S+\.)?TaskSchedulerImpl: Initial job has not accepted any resources"
)


@dataclass(frozen=True, slots=True)
class Bar:
    """One stage's progress bar: `[Stage 3:==>   (38 + 5) / 60]` is 38 done, 5 active, 60 in all."""

    stage_id: int
    done: int
    active: int
    total: int

    @property
    def fraction(self) -> float | None:
        """Done of all, 0 to 1."""
        return _fraction(self.done, self.total)


def split_bars(line: str) -> tuple[str, tuple[Bar, ...] | None]:
    """A line of the driver's stderr as its text without bars, and the bars that stand now.

    Bars are drawn over with carriage returns: the last ones count. An empty tuple says that they were wiped;
    None that the line has nothing to do with bars.
    """
    if "\r" not in line and "[Stage " not in line:
        return line, None
    texts: list[str] = []
    bars: tuple[Bar, ...] | None = None
    for part in line.split("\r"):
        found = tuple(Bar(*map(int, match)) for match in _BAR.findall(part))
        rest = _BAR.sub("", part) if found else part
        if found:
            bars = found
        elif part and part.isspace():
            bars = ()
        if rest.strip():
            texts.append(rest)
    return "\n".join(texts), bars


def says_not_accepted(line: str) -> bool:
    """Whether this line is the driver's warning that nobody gives it resources; it comes after 15 s."""
    return _NOT_ACCEPTED.match(split_bars(line)[0]) is not None


# Why an application waits.


class Waiting(StrEnum):
    """Why an application has no executor."""

    NO_WORKER = "no-worker"
    TOO_MUCH_MEMORY = "too-much-memory"
    """No worker could ever run it."""
    CORES_HELD = "cores-held"
    MEMORY_HELD = "memory-held"
    NOT_YET = "not-yet"
    """Enough is free, as far as the master tells."""


@dataclass(frozen=True, slots=True)
class WaitingReason:
    """Why an application waits, and what to do. `impossible`: it would wait for ever."""

    kind: Waiting
    text: str
    hint: str

    @property
    def impossible(self) -> bool:
        """Whether it can never start on the workers there are."""
        return self.kind is Waiting.TOO_MUCH_MEMORY


def waiting_reason(state: MasterState, app: Application) -> WaitingReason | None:
    """Why `app` has no executor, from the master's numbers alone; None if it does not wait.

    An application that lost all its executors counts as waiting: the master goes on calling it RUNNING.
    """
    if app.state != WAITING and not (app.state == "RUNNING" and app.cores == 0):
        return None
    workers = state.alive_workers()
    if not workers:
        known = len(state.current_workers())
        text = f"No worker is alive ({known} known)." if known else "No worker is registered with the master."
        return WaitingReason(Waiting.NO_WORKER, text, "Start the workers; their logs say why they do not register.")
    need = app.memory_per_executor_mib or 0
    largest = max(worker.memory_mib for worker in workers)
    if need > largest:
        text = (
            f"It asks for {_size(need)} per executor, but the largest of {_count(len(workers), 'worker')} "
            f"offers {_size(largest)}: {_size(need - largest)} too much, so it can never start."
        )
        hint = f"Set spark.executor.memory to {_size(largest)} or less, or give the workers more memory."
        return WaitingReason(Waiting.TOO_MUCH_MEMORY, text, hint)
    others = [other for other in state.active if other.id != app.id and other.cores]
    free_workers = [worker for worker in workers if worker.cores > worker.cores_used]
    if not free_workers:
        cores = sum(worker.cores for worker in workers)
        text = f"All {_count(cores, 'core')} are in use: {_holders(others)}."
        return WaitingReason(Waiting.CORES_HELD, text, _hint_held(others))
    free_memory = max(worker.memory_mib - worker.memory_used_mib for worker in free_workers)
    if need > free_memory:
        text = (
            f"It asks for {_size(need)} per executor, but the workers with a free core have at most "
            f"{_size(free_memory)} left: {_holders(others)}."
        )
        return WaitingReason(Waiting.MEMORY_HELD, text, _hint_held(others))
    if app.state != WAITING:
        return None
    free_cores = sum(worker.cores - worker.cores_used for worker in free_workers)
    text = f"{_count(free_cores, 'core')} and enough memory are free: it has only just asked, or asks too much."
    most = max(worker.cores for worker in workers)
    hint = f"If it stays so: spark.executor.cores above {most} fits no worker (the master does not tell it)."
    return WaitingReason(Waiting.NOT_YET, text, hint)


def _holders(others: Iterable[Application]) -> str:
    held = [f"{plain(other.name, 60)} ({plain(other.id, 60)}) holds {other.cores}" for other in others]
    return ", ".join(held[:3]) + (f" and {len(held) - 3} more" if len(held) > 3 else "") or "by whom is not known"


def _hint_held(others: Sequence[Application]) -> str:
    if not others:
        return "Wait, or look at the master's page for what holds them."
    names = " or ".join(plain(other.name, 60) for other in others[:3])
    return f"Wait until it ends, stop {names}, or limit it with spark.cores.max."


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")


def _size(mib: int) -> str:
    """A size in Spark's own way: 1g, 1536m."""
    return f"{mib // 1024}g" if mib and mib % 1024 == 0 else f"{mib}m"
