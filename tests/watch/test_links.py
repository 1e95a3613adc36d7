"""Which worker of the Spark master is which replica."""

from __future__ import annotations

from tui.clients.spark_master import MasterState, Worker
from tui.engine.interface import Replica, State
from tui.stack.model import Port
from tui.watch.links import worker_of


def worker(name: str, host: str, page: str, state: str = "ALIVE", heartbeat: int = 1) -> Worker:
    return Worker(name, host, state, 1, 0, 1024, 0, web_ui=page, last_heartbeat=heartbeat)


def state(*workers: Worker) -> MasterState:
    return MasterState("spark://x", "ALIVE", workers, (), (), 1, 0, 1, 0)


def replica(host: str, *addresses: str, port: int | None = None) -> Replica:
    ports = (Port(8081, port, "127.0.0.1"),)
    return Replica("1", "w", "w", 1, State.RUNNING, ports=ports, addresses=addresses, host=host)


def test_containers_are_told_apart_by_their_address() -> None:
    known = state(worker("a", "10.0.0.2", "http://10.0.0.2:8081"), worker("b", "w-2", "http://w-2:8081"))
    assert getattr(worker_of(replica("w-1", "10.0.0.2", port=9000), known), "id", None) == "a"
    assert getattr(worker_of(replica("w-2", "10.0.0.3"), known), "id", None) == "b"
    assert worker_of(replica("w-3", "10.0.0.4"), known) is None
    assert worker_of(replica("w-3", "10.0.0.4"), None) is None


def test_processes_share_an_address_and_are_told_apart_by_their_page() -> None:
    here = "127.0.0.1"
    known = state(*(worker(str(port), here, f"http://{here}:{port}") for port in (8081, 8082, 8083)))
    found = [worker_of(replica(here, here, port=port), known) for port in (8081, 8082, 8083, 8084)]
    assert [one and one.id for one in found] == ["8081", "8082", "8083", None]


def test_a_restarted_process_is_its_present_self() -> None:
    here, page = "127.0.0.1", "http://127.0.0.1:8081"
    known = state(worker("old", here, page, "DEAD", 1), worker("new", here, page, "ALIVE", 2))
    found = worker_of(replica(here, here, port=8081), known)
    assert found is not None and found.id == "new"
