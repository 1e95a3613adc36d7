"""How far a run is: per stage and per step from Spark's REST API, or from the driver's own progress bars."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from tui.clients.spark_app import SparkJob, Stage
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
