"""What one moment of a stack tells to be wrong."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec import convert

from tui.checks import disk, history
from tui.checks.disk import check_disk
from tui.checks.down import check_down
from tui.checks.history import check_history
from tui.checks.mlflow import is_stale
from tui.checks.moment import check_moment
from tui.checks.situation import Situation
from tui.clients.mlflow import RUN_TAG, MlflowRun
from tui.clients.spark_master import Application, MasterState, Worker
from tui.engine.interface import EngineInfo, Health, Replica, State
from tui.stack.model import Layout, Project, Role, Service, ServiceLayout, Stack
from tui.watch.cluster import join

GIB = 1024**3
PROJECT = Project("demo", {"db": Service("db"), "worker": Service("worker", replicas=2)})
LAYOUT = Layout("demo", "Demo", services=(ServiceLayout("worker", Role.SPARK_WORKER),))


def moment(*replicas: Replica, master: MasterState | None = None, memory: int | None = 64 * GIB) -> Situation:
    stack = Stack("demo", Path("/nowhere"), (), Path("/nowhere"), layout=LAYOUT)
    seen = join(stack, PROJECT, replicas, master, {})
    return Situation(stack, PROJECT, replicas, seen, EngineInfo("scripted", "1", "memory", memory=memory))


def one(service: str = "db", number: int = 1, **fields: Any) -> Replica:
    values = {"state": State.RUNNING, "host": f"{service}-{number}", **fields}
    return Replica(f"id-{service}-{number}", f"demo-{service}-{number}", service, number, **values)


def worker(number: int, **fields: Any) -> Worker:
    values = {"cores": 2, "cores_used": 0, "memory_mib": 2048, "memory_used_mib": 0, "port": 40000 + number, **fields}
    return Worker(f"w{number}", f"worker-{number}", "ALIVE", **values)


def cluster(*workers: Worker, active: tuple[Application, ...] = ()) -> MasterState:
    memory = sum(each.memory_mib for each in workers)
    return MasterState("spark://x", "ALIVE", workers, active, (), 4, 0, memory, 0)


def told(now: Situation) -> list[str]:
    return [finding.what for finding in check_moment(now)]


def test_nothing_is_found_where_all_is_well() -> None:
    well = [one(), one("worker", 1), one("worker", 2)]
    assert told(moment(*well, master=cluster(worker(1), worker(2)))) == []
    # It had its troubles, and has none now.
    assert told(moment(one(restarts=9, started_at=datetime.now(UTC) - timedelta(hours=1)))) == []
    # Stopped by somebody, or not started: no fault.
    assert told(moment(one(state=State.ENDED, exit_code=143), one("worker", state=State.CREATED))) == []


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"state": State.ENDED, "exit_code": 137, "out_of_memory": True}, "ran out of memory"),
        ({"state": State.ENDED, "exit_code": 137}, "was killed"),
        ({"state": State.ENDED, "exit_code": 2}, "exit code 2"),
        ({"state": State.RESTARTING, "restarts": 1}, "again and again"),
        ({"health": Health.STARTING, "restarts": 3}, "again and again"),
        ({"restarts": 3, "started_at": "now"}, "again and again"),
        ({"health": Health.UNHEALTHY, "health_output": "no\nluck"}, "is unhealthy: no luck"),
    ],
)
def test_a_service_that_is_not_well(fields: dict[str, Any], words: str) -> None:
    if fields.get("started_at") == "now":
        # Not when the tests were collected.
        fields = {**fields, "started_at": datetime.now(UTC)}
    (found,) = check_moment(moment(one(**fields)))
    assert words in found.what and found.what.startswith("db ")
    assert found.service == "db" and "sparkdeck" in found.remedy


def test_a_run_that_failed_is_the_jobs_own_matter() -> None:
    assert told(moment(one(state=State.ENDED, exit_code=1, labels={"run": "job-1"}))) == []


@pytest.mark.parametrize(
    ("condition", "fields", "words"),
    [
        ("service_healthy", {"health": Health.UNHEALTHY}, "which is unhealthy"),
        ("service_started", {"state": State.ENDED, "exit_code": 0}, "which ended with exit code 0"),
        ("service_completed_successfully", {"state": State.ENDED, "exit_code": 1}, "which ended with exit code 1"),
        ("service_healthy", None, "which is not there"),
        ("service_healthy", {"health": Health.STARTING}, ""),
        ("service_completed_successfully", {}, ""),
        ("service_completed_successfully", {"state": State.ENDED, "exit_code": 0}, ""),
        ("service_started", {"state": State.CREATED}, ""),
    ],
)
def test_whom_a_service_waits_for_in_vain(condition: str, fields: dict[str, Any] | None, words: str) -> None:
    project = replace(PROJECT, services={"db": Service("db"), "app": Service("app", depends_on={"db": condition})})
    others = [] if fields is None else [one("db", **fields)]
    now = replace(moment(one("app", state=State.CREATED), *others), project=project)
    found = [finding for finding in check_moment(now) if finding.service == "app"]
    assert [finding.what for finding in found] == ([f"app waits for db, {words}."] if words else [])
    assert all("sparkdeck logs db" in finding.remedy and finding.replica == "id-app-1" for finding in found)


def test_a_worker_that_the_master_does_not_know() -> None:
    now = moment(one("worker", 1, health=Health.HEALTHY), one("worker", 2), master=cluster(worker(1)))
    (found,) = check_moment(now)
    assert found.what.startswith("worker-2 runs, but is not registered") and found.service == "worker"
    starting = replace(now.replicas[1], health=Health.STARTING)
    assert told(moment(now.replicas[0], starting, master=now.cluster.state)) == []


def test_an_application_that_can_never_start_is_told_with_the_arithmetic() -> None:
    app = Application("app-1", "gr\x1b[31meedy", "WAITING", 0, memory_per_executor_mib=4096)
    (found,) = check_moment(moment(master=cluster(worker(1), active=(app,))))
    assert "waits" in found.what and "4g" in found.what and "2g" in found.what and "\x1b" not in found.what
    assert "spark.executor.memory" in found.remedy


def test_memory_promised_twice() -> None:
    (found,) = check_moment(moment(master=cluster(worker(1), worker(2)), memory=3 * GIB))
    assert "2 workers promise 4.0 GiB" in found.what and "3.0 GiB" in found.what and "1G" in found.remedy
    assert told(moment(master=cluster(worker(1), worker(2)), memory=None)) == []


def test_a_history_that_cannot_be_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(history, "user_state_path", lambda name: tmp_path / name)
    assert list(check_history()) == []
    monkeypatch.setattr(history, "user_state_path", lambda name: tmp_path / "file" / name)
    (tmp_path / "file").write_text("no folder")
    (found,) = check_history()
    assert found.what.startswith("The history of runs is not kept") and "Not a directory" in found.what


def test_a_full_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    assert list(check_disk(moment())) == []
    monkeypatch.setattr(disk, "LEAST", 10**18)
    (found,) = check_disk(moment())
    assert "GiB are free on the disk of /" in found.what


@pytest.mark.parametrize(
    ("status", "tag", "hours", "stale"),
    [
        ("RUNNING", "job-1", 1, False),
        ("RUNNING", "job-2", 0, True),
        ("RUNNING", None, 1, False),
        ("RUNNING", None, 13, True),
        ("FINISHED", "job-2", 13, False),
    ],
)
def test_an_mlflow_run_whose_client_is_gone(status: str, tag: str | None, hours: int, stale: bool) -> None:
    now = datetime(2026, 1, 2, tzinfo=UTC)
    began = int((now - timedelta(hours=hours)).timestamp() * 1000)
    tags = [{"key": RUN_TAG, "value": tag}] if tag else []
    info = {"run_id": "r", "experiment_id": "0", "status": status, "start_time": began}
    run = convert({"info": info, "data": {"tags": tags}}, MlflowRun)
    assert is_stale(run, {"job-1"}, now) is stale


def test_what_is_down_or_stopped_is_told_but_no_run() -> None:
    def down(*replicas: Replica) -> list[str]:
        return [finding.what for finding in check_down(moment(*replicas), {"told"})]

    up = [one(), one("worker", 1), one("worker", 2)]
    run = Replica("r", "demo-fly-1", "db", 0, State.ENDED, exit_code=130, labels={"run": "fly-1"})
    assert down(*up) == [] and down(*up, run) == []
    assert down(run) == down() == ["demo is down: none of its 2 services runs."]
    assert down(one(), one("worker", 1, state=State.ENDED, exit_code=143), run) == [
        *("worker-1 was stopped.", "worker-2 is down."),
    ]
    assert down(*up[:2], one("worker", 2, state=State.PAUSED)) == ["worker-2 is paused."]
