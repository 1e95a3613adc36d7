"""Progress from real answers of Spark and from the driver's own bars."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from tui.clients.spark_app import SparkJob, Stage
from tui.jobs.progress import Bar, Pace, run_progress, split_bars, stage_eta_seconds

CLIENT_CAPTURES = Path(__file__).parents[1] / "clients" / "captures"
CAPTURES = Path(__file__).parent / "captures"


def jobs() -> tuple[SparkJob, ...]:
    return msgspec.json.decode((CLIENT_CAPTURES / "sp35-jobs.json").read_bytes(), type=tuple[SparkJob, ...])


def stages() -> tuple[Stage, ...]:
    raw = (CLIENT_CAPTURES / "sp35-stages_status_active.json").read_bytes()
    return msgspec.json.decode(raw, type=tuple[Stage, ...])


def test_a_real_moment() -> None:
    progress = run_progress(jobs(), stages())
    assert progress.steps == ("train step",)
    assert (progress.jobs_running, progress.jobs_done, progress.jobs_failed) == (1, 7, 0)
    (stage,) = progress.stages
    assert (stage.stage_id, stage.step, stage.name) == (12, "train step", "count at /srv/try/job.py:20")
    assert (stage.done, stage.active, stage.failed, stage.total) == (11, 1, 0, 12)
    assert stage.fraction == pytest.approx(11 / 12)
    # One task left, 11 took 7,622 + 155 ms together, one is active.
    assert stage.eta_seconds == pytest.approx((7622 + 155) / 11 / 1000)


@pytest.mark.parametrize(
    ("done", "total", "active", "expected"),
    [
        (2, 10, 2, None),  # fewer than 3 tasks
        (3, 10, 2, 7 * 2.0 / 2),
        (4, 100, 2, None),  # less than 5 %
        (5, 100, 2, 95 * 2.0 / 2),
        (5, 10, 0, None),  # nothing runs
        (10, 10, 1, 0.0),
    ],
)
def test_when_a_stage_will_be_done(done: int, total: int, active: int, expected: float | None) -> None:
    stage = replace(
        stages()[0],
        num_tasks=total,
        num_active_tasks=active,
        num_complete_tasks=done,
        num_completed_indices=done,
        executor_run_time=done * 1900,
        executor_deserialize_time=done * 100,
    )
    assert stage_eta_seconds(stage) == expected


def test_unknown_durations_give_no_time() -> None:
    assert stage_eta_seconds(replace(stages()[0], executor_run_time=None)) is None


def test_tasks_that_hang_are_said_to_take_longer_than_expected() -> None:
    now = 0.0
    pace = Pace(lambda: now)
    # A mean of 2 s: after 6 s without an end, the active one takes three times as long.
    stage = replace(
        stages()[0],
        num_tasks=10,
        num_active_tasks=1,
        num_complete_tasks=9,
        num_completed_indices=9,
        executor_run_time=18_000,
        executor_deserialize_time=0,
    )

    def seen(stage: Stage) -> tuple[float | None, bool]:
        (shown,) = run_progress(jobs(), (stage,), pace.look((stage,))).stages
        return shown.eta_seconds, shown.overdue

    assert seen(stage) == (2.0, False)
    now = 5.9
    assert seen(stage) == (2.0, False)
    now = 6.1
    assert seen(stage) == (None, True)
    retried = replace(stage, num_failed_tasks=1)
    assert seen(retried) == (1.8, False), "something ended: it moves again"
    now = 20.0
    assert seen(replace(retried, num_active_tasks=0)) == (None, False), "nothing runs, so nothing hangs"
    assert seen(replace(retried, attempt_id=1)) == (1.8, False), "another attempt begins anew"


def test_spark_names_broadcasts_by_uuid_and_that_is_no_step() -> None:
    running = jobs()[0]
    broadcast = replace(
        running,
        job_id=8,
        job_group="ffd35624-2482-438e-9058-06a042ea6967",
        description="broadcast exchange (runId ffd35624-2482-438e-9058-06a042ea6967)",
    )
    nameless = replace(running, job_id=9, job_group=None, description=None)
    grouped = replace(running, job_id=10, job_group="load", description=None)
    assert run_progress((grouped, nameless, broadcast, running), ()).steps == ("train step", "load")


def test_names_from_an_application_are_made_harmless() -> None:
    evil = replace(jobs()[0], description="a\x1b[2J\nb")
    progress = run_progress((evil,), (replace(stages()[0], name="\x1b]0;x\x07"),))
    assert progress.steps == ("a [2J b",)
    assert progress.stages[0].name.isprintable()


def test_nothing_runs_yet() -> None:
    progress = run_progress((), ())
    assert (progress.steps, progress.stages, progress.jobs_running) == ((), (), 0)


def test_the_bars_of_a_real_driver() -> None:
    raw = (CAPTURES / "spark35-driver-stderr-progress.txt").read_bytes().decode()
    lines = [split_bars(line) for line in raw.split("\n")]
    bars = [found for _, found in lines if found is not None]
    assert bars == [(Bar(10, 0, 4, 60),)], "the last bars drawn on the line are those that stand"
    texts = [text for text, _ in lines if text]
    assert len(texts) == raw.count(" INFO ") + raw.count(" WARN ")
    assert not any("[Stage" in text or "\r" in text for text in texts)


def test_bars_drawn_over_wiped_and_side_by_side() -> None:
    bar = "\r[Stage 3:==>   (38 + 5) / 60]\r"
    assert split_bars(bar) == ("", (Bar(3, 38, 5, 60),))
    assert Bar(3, 38, 5, 60).fraction == pytest.approx(38 / 60)
    assert split_bars(bar + "\r" + " " * 80 + "\r") == ("", ())
    two = "\r[Stage 0:==> (2 + 4) / 8][Stage 1:> (0 + 4) / 16]"
    assert split_bars(two)[1] == (Bar(0, 2, 4, 8), Bar(1, 0, 4, 16))
    assert split_bars("[Stage 7:======(8 + 0) / 8]")[1] == (Bar(7, 8, 0, 8),)
    assert split_bars(bar + "\r" + " " * 80 + "\rthe result is 5") == ("the result is 5", ())


@pytest.mark.parametrize("line", ["", "plain", "see [Stage 3: of the plan]", "[Stage x:==> (1 + 1) / 2]"])
def test_other_lines_have_no_bars(line: str) -> None:
    assert split_bars(line) == (line, None)
