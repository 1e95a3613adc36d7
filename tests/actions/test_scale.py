"""Scaling the workers: nobody is stopped of whom it is not known that he has ended his work."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from tests.actions.conftest import Cluster, said, without_page
from tui.actions import registered, scale
from tui.actions.start import Refused
from tui.engine.interface import Progress, State
from tui.stack.model import Port


@pytest.fixture(autouse=True)
def _looks_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (scale, registered):
        monkeypatch.setattr(module, "LOOK_SECONDS", 0.01)


def silent(cluster: Cluster) -> None:
    cluster.master.silent = True


def with_one_name(cluster: Cluster) -> None:
    """All workers register under one name, and their logs cannot be read."""
    for worker in cluster.master.workers:
        worker.update(host="localhost", webuiaddress="http://localhost:8081")
    cluster.engine.fail("logs", "configured logging driver does not support reading")


@pytest.mark.parametrize("unknown", [silent, without_page, with_one_name])
async def test_a_worker_whose_work_is_not_known_is_not_stopped(
    cluster: Cluster, unknown: Callable[[Cluster], None]
) -> None:
    """Its executors work on while the master is away."""
    cluster.start(1, 2)
    unknown(cluster)
    with pytest.raises(Refused, match=r"more-2 still works only the Spark master knows.*Nothing was stopped"):
        await said(scale.scale(cluster.engine, cluster.stack, 2))
    assert not cluster.did()


async def test_a_master_that_falls_silent_while_workers_drain_is_waited_for(cluster: Cluster) -> None:
    cluster.start(1, 2)
    worker = cluster.worker("more-2")
    worker["coresused"] = 2
    events = cluster.engine.events()
    task = asyncio.create_task(said(scale.scale(cluster.engine, cluster.stack, 2)))
    while (await anext(events)).kind != "signalled":
        pass
    worker["state"] = "DECOMMISSIONED"
    cluster.master.silent = True
    for _ in range(3):
        cluster.master.asking.clear()
        await cluster.master.asking.wait()
    assert "scale" not in cluster.did(), "unknown is not idle"
    cluster.master.silent = False
    worker["coresused"] = 0
    await task
    await events.aclose()
    assert cluster.did() == ["signal", "scale"]


async def test_what_stays_unknown_leaves_the_worker_running(cluster: Cluster) -> None:
    *_, second = cluster.start(1, 2)
    with pytest.raises(Refused, match="more-2: after 0 s"):
        await said(scale.scale(cluster.engine, cluster.stack, 2, timeout=0.2))
    assert cluster.engine.replica(second).state is State.RUNNING and cluster.did() == ["signal"]


async def test_a_stack_that_is_down_is_not_scaled(cluster: Cluster) -> None:
    with pytest.raises(Refused, match=r"no cluster to scale: master is down. Start it: sparkdeck up"):
        await said(scale.scale(cluster.engine, cluster.stack, 2))
    assert not cluster.did() and not await cluster.engine.replicas()


async def test_a_port_that_is_taken_leaves_nothing_behind(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    async def held(port: Port) -> str:
        return "somebody"

    cluster.start(1)
    service = cluster.engine._project.services["more"]
    object.__setattr__(service, "ports", (Port(8081, 18081),))
    monkeypatch.setattr(cluster.engine, "port_holder", held)
    try:
        with pytest.raises(Refused, match="Port 18081, which more wants, is taken by somebody"):
            await said(scale.scale(cluster.engine, cluster.stack, 3))
    finally:
        object.__setattr__(service, "ports", ())
    assert not cluster.did()


async def test_only_a_worker_that_starts_is_said_to_start(cluster: Cluster) -> None:
    cluster.start(1)
    new = f"{cluster.stack.name}-more-2"
    cluster.master.add("more-2", new)
    updates = await said(scale.scale(cluster.engine, cluster.stack, 3))
    steps = [(one.service, one.word) for one in updates if hasattr(one, "service")]
    assert steps == [("more-2", "running"), ("spark cluster", "3 workers registered")]
    assert [one.text for one in updates if isinstance(one, Progress)]
