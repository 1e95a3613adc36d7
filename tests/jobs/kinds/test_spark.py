"""An application on Spark: its command, its form, the room for it, and its kind told without labels."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from tui.clients.spark_master import MasterState
from tui.engine.interface import Replica, State
from tui.jobs.kinds import KINDS, kind_of
from tui.jobs.kinds.kind import SubmitError
from tui.jobs.kinds.spark import Spark
from tui.stack.model import JobKind, JobSpec, Layout, Project, Role, Service, ServiceLayout, Stack

CAPTURES = Path(__file__).parents[2] / "clients" / "captures"
PROJECT = Project("p", {"client": Service("client"), "master": Service("master")})
JOB = JobSpec("fly", "client", "/jobs/fly.py", args=("a",), conf={"spark.x": "1"})


def test_a_spark_job_is_submitted_with_its_id() -> None:
    command, arguments = Spark().command(PROJECT, JOB, "fly-1", ["b"], {"spark.y": "2"})
    assert command[0] == "spark-submit" and [command[-1], *arguments] == ["/jobs/fly.py", "a", "b"]
    assert {"spark.x=1", "spark.y=2", "spark.sparkdeck.run=fly-1"} <= set(command), command


def test_it_needs_its_client_and_the_master() -> None:
    layout = Layout("p", "P", services=(ServiceLayout("master", Role.SPARK_MASTER),))
    stack = Stack("p", Path("/nowhere"), (), Path("/nowhere"), layout=layout)
    assert set(Spark().needs(stack, PROJECT, JOB)) == {"client", "master"}


def test_the_forms_own_fields_are_settings_and_back() -> None:
    empty = dict.fromkeys(Spark().fields, "")
    fields = {"driver_memory": "512m", "executor_memory": "2g", "cores": "3", "jars": "/apps/a.jar"}
    conf = Spark().conf_of({**empty, **fields})
    assert conf["spark.executor.memory"] == "2g" and conf["spark.cores.max"] == "3"
    assert Spark().fields_of({**conf, "spark.y": "2"}) == (fields, {"spark.y": "2"})
    assert Spark().conf_of(empty) == {}
    for name, wrong in (("cores", "0"), ("cores", "many"), ("executor_memory", "lots")):
        with pytest.raises(SubmitError):
            Spark().conf_of({**empty, name: wrong})


def test_room_for_an_executor() -> None:
    """Two workers of 1024 MiB, of which 700 MiB are taken on each."""
    state = msgspec.json.decode((CAPTURES / "sp41-master.json").read_bytes(), type=MasterState)
    client = Service("client", environment={"SPARK_EXECUTOR_MEMORY": "300m"})
    assert Spark().room(client, {}, state) == []
    (wait,) = Spark().room(Service("client"), {}, state)
    assert wait.startswith("It would wait")
    (never,) = Spark().room(client, {"spark.executor.memory": "4g"}, state)
    assert never.startswith("No worker can give")
    assert "No worker is registered" in Spark().room(client, {}, replace(state, workers=()))[0]


def test_the_kind_of_a_run() -> None:
    def run(command: tuple[str, ...], **labels: str) -> Replica:
        return Replica("1", "x", "client", 0, State.RUNNING, command=command, labels=labels)

    assert kind_of(run(("spark-submit", "--conf", "spark.sparkdeck.run=fly-1"))) is KINDS[JobKind.SPARK]
    assert kind_of(run(("wc", "-l"))) is KINDS[JobKind.RUN]
    assert kind_of(run(("bash",), kind="airflow")) is KINDS[JobKind.AIRFLOW]
    assert kind_of(run(("bash",), kind="strange")) is KINDS[JobKind.RUN]
    assert set(KINDS) == set(JobKind)
