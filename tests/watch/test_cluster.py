"""Which worker of the Spark master is which replica."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.scripted_engine import ScriptedEngine
from tui.clients.spark_master import MasterState, Worker
from tui.engine.interface import Replica, State
from tui.stack.model import Port, Project, Service, Stack
from tui.watch.cluster import Cluster, Workers, join

HERE = "127.0.0.1"


def worker(id: str, host: str, page: str = "http://same:8081", state: str = "ALIVE", **fields: Any) -> Worker:
    return Worker(id, host, state, 1, 0, 1024, 0, web_ui=page, **{"last_heartbeat": 1, "port": 40000, **fields})


def state(*workers: Worker) -> MasterState:
    return MasterState("spark://x", "ALIVE", workers, (), (), 1, 0, 1, 0)


def replica(number: int, **fields: Any) -> Replica:
    values = {"state": State.RUNNING, "host": f"demo-worker-{number}", **fields}
    return Replica(f"{number}" * 64, f"demo-worker-{number}", "worker", number, **values)


def found(stack: Stack, known: MasterState, *replicas: Replica, **fields: Any) -> list[str | bool | None]:
    """For each replica its worker's id, else whether it is registered."""
    project = Project("demo", {"worker": Service("worker", replicas=2, **fields)})
    cluster = join(stack, project, replicas, known, {})
    return [cluster.workers[one.id].id if one.id in cluster.workers else cluster.registered(one) for one in replicas]


def test_containers_are_told_apart_by_their_address(stack: Stack) -> None:
    known = state(worker("a", "10.0.0.2", "http://10.0.0.2:8081"), worker("b", "demo-worker-2"))
    ours = [replica(1, addresses=("10.0.0.2",)), replica(2, addresses=("10.0.0.3",)), replica(3)]
    assert found(stack, known, *ours) == ["a", "b", False]


@pytest.mark.parametrize(
    ("host", "fields", "service"),
    [
        ("1" * 12, {}, {}),
        ("1" * 64, {}, {}),
        ("left", {"names": ("left",)}, {}),
        ("left", {"command": ("spark-class", "o.a.s.deploy.worker.Worker", "--host", "left", "spark://m:7077")}, {}),
        ("left", {"command": ("bash", "-c", "start-worker.sh -h left spark://m:7077")}, {}),
        ("left", {}, {"environment": {"SPARK_LOCAL_HOSTNAME": "left"}}),
    ],
)
def test_a_worker_may_register_under_any_of_its_names(
    stack: Stack, host: str, fields: dict[str, Any], service: dict[str, Any]
) -> None:
    """Not its address: SPARK_LOCAL_HOSTNAME, --host, a host name, an alias."""
    one = replica(1, addresses=("10.0.0.2",), **fields)
    assert found(stack, state(worker("a", host)), one, **service) == ["a"]


def test_one_page_for_all_is_no_one_worker(stack: Stack) -> None:
    """SPARK_PUBLIC_DNS gives all of them one."""
    page = "http://localhost:8081"
    known = state(worker("a", "10.0.0.2", page), worker("b", "10.0.0.3", page))
    ours = [replica(1, addresses=("10.0.0.2",)), replica(2, addresses=("10.0.0.3",))]
    assert len(known.alive_workers()) == 2
    assert found(stack, known, *ours) == ["a", "b"]


def test_one_name_for_all_is_told_apart_by_the_port_of_the_page(stack: Stack) -> None:
    """--webui-port, published or not."""
    known = state(worker("a", "localhost", "http://localhost:8081"), worker("b", "localhost", "http://localhost:8082"))
    ours = [replica(number, ports=(Port(8080 + number, None),)) for number in (1, 2)]
    assert found(stack, known, *ours) == ["a", "b"]


def test_processes_share_an_address_and_are_told_apart_by_their_page(stack: Stack) -> None:
    known = state(*(worker(str(port), HERE, f"http://{HERE}:{port}") for port in (8081, 8082, 8083)))
    ours = [
        replica(index + 1, host=HERE, addresses=(HERE,), ports=(Port(8081, port, HERE),))
        for index, port in enumerate((8081, 8082, 8083, 8084))
    ]
    assert found(stack, known, *ours) == ["8081", "8082", "8083", False]


def test_a_restarted_process_is_its_present_self(stack: Stack) -> None:
    page = f"http://{HERE}:8081"
    known = state(worker("old", HERE, page, "DEAD"), worker("new", HERE, page, last_heartbeat=2))
    assert found(stack, known, replica(1, host=HERE, ports=(Port(8081, 8081, HERE),))) == ["new"]


def test_what_cannot_be_told_is_unknown(stack: Stack) -> None:
    known = state(worker("a", "localhost"), worker("b", "localhost", port=40001))
    ours = [replica(1), replica(2)]
    assert found(stack, known, *ours) == [None, None]
    cluster = join(stack, Project("demo", {}), ours, None, {})
    assert cluster == Cluster() and cluster.registered(ours[0]) is None


async def test_the_workers_own_log_tells_two_with_one_name_apart(stack: Stack) -> None:
    project = Project("demo", {"worker": Service("worker", replicas=3)})
    engine = ScriptedEngine(project)
    ours = [engine.add("worker", number) for number in (1, 2, 3)]
    for one, port in zip(ours, (40001, 40000, 49999), strict=True):
        engine.write(one, "26/11/21 INFO Worker: Started", f"Starting Spark worker localhost:{port} with 1 cores")
    known = state(worker("a", "localhost"), worker("b", "localhost", port=40001))
    workers = Workers(engine, stack, project)
    cluster = await workers.ask(ours, known)
    assert {id: one.id for id, one in cluster.workers.items()} == {ours[0].id: "b", ours[1].id: "a"}
    # All that the master knows are somebody else.
    assert cluster.registered(ours[2]) is False
    asked = engine.calls["logs"]
    assert await workers.ask(ours, known) == cluster and engine.calls["logs"] == asked, "each log is read once"


async def test_a_log_that_cannot_be_read_leaves_it_unknown(stack: Stack) -> None:
    project = Project("demo", {"worker": Service("worker", replicas=2)})
    engine = ScriptedEngine(project)
    ours = [engine.add("worker", number) for number in (1, 2)]
    engine.fail("logs", "configured logging driver does not support reading")
    cluster = await Workers(engine, stack, project).ask(ours, state(worker("a", "localhost")))
    assert cluster.unclear == {one.id for one in ours} and not cluster.missing
    assert [cluster.registered(replace(one, state=State.RUNNING)) for one in ours] == [None, None]
