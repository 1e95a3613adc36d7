"""Why an application waits, from the master's numbers."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from tui.clients.spark_master import Application, MasterState
from tui.watch.queued import Queued, queued_reason

CAPTURES = Path(__file__).parents[1] / "clients" / "captures"
APP = Application(id="app-2", name="train", state="WAITING", cores=0, memory_per_executor_mib=700)


@pytest.fixture
def busy() -> MasterState:
    """Two workers of 2 cores and 1024 MiB; `r3 probe` holds all cores and 700 MiB on each."""
    return msgspec.json.decode((CAPTURES / "sp41-master.json").read_bytes(), type=MasterState)


@pytest.fixture
def idle() -> MasterState:
    """The same, with nothing running."""
    return msgspec.json.decode((CAPTURES / "sp35-master_after.json").read_bytes(), type=MasterState)


def test_an_application_that_runs_does_not_wait(busy: MasterState) -> None:
    assert queued_reason(busy, busy.active[0]) is None


def test_an_ended_application_does_not_wait(idle: MasterState) -> None:
    assert queued_reason(idle, replace(idle.completed[0], cores=0)) is None


def test_more_memory_than_any_worker_has(busy: MasterState) -> None:
    reason = queued_reason(busy, replace(APP, memory_per_executor_mib=4096))
    assert reason is not None and reason.kind is Queued.TOO_MUCH_MEMORY
    assert "asks for 4g" in reason.text and "offers 1g" in reason.text and "3g too much" in reason.text
    assert "spark.executor.memory to 1g" in reason.hint


def test_as_much_memory_as_a_worker_has_is_possible(idle: MasterState) -> None:
    reason = queued_reason(idle, replace(APP, memory_per_executor_mib=1024))
    assert reason is not None


def test_all_cores_held_by_another(busy: MasterState) -> None:
    reason = queued_reason(busy, APP)
    assert reason is not None and reason.kind is Queued.CORES_HELD
    assert "All 4 cores" in reason.text and "r3 probe (app-20261120151153-0000) holds 4" in reason.text
    assert "r3 probe" in reason.hint


def test_memory_held_by_another(busy: MasterState) -> None:
    one_free = tuple(replace(worker, cores_used=1) for worker in busy.workers)
    reason = queued_reason(replace(busy, workers=one_free), APP)
    assert reason is not None and reason.kind is Queued.MEMORY_HELD
    assert "700m" in reason.text and "324m left" in reason.text and "r3 probe" in reason.text


def test_no_worker(busy: MasterState) -> None:
    reason = queued_reason(replace(busy, workers=()), APP)
    assert reason is not None and reason.kind is Queued.NO_WORKER
    assert "registered" in reason.text
    dead = tuple(replace(worker, state="DEAD") for worker in busy.workers)
    reason = queued_reason(replace(busy, workers=dead), APP)
    assert reason is not None and reason.kind is Queued.NO_WORKER
    assert "2 known" in reason.text


def test_enough_is_free(idle: MasterState) -> None:
    reason = queued_reason(idle, APP)
    assert reason is not None and reason.kind is Queued.NOT_YET
    assert "spark.executor.cores above 2" in reason.hint
    unknown = queued_reason(idle, replace(APP, memory_per_executor_mib=None))
    assert "enough memory" in reason.text and unknown and "is not known" in unknown.text


def test_one_that_lost_its_executors_waits_again(busy: MasterState) -> None:
    lost = replace(APP, state="RUNNING")
    reason = queued_reason(busy, lost)
    assert reason is not None and reason.kind is Queued.CORES_HELD


def test_one_that_needs_no_executor_now_does_not_wait(idle: MasterState) -> None:
    assert queued_reason(idle, replace(APP, state="RUNNING")) is None
