"""Healthy is not yet useful; and what cannot be told is said, and is no failure."""

from __future__ import annotations

import pytest

from tests.actions.conftest import Cluster, said
from tui.actions import registered
from tui.watch.ready import NotReady


@pytest.fixture(autouse=True)
def _looks_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registered, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(registered, "REGISTRATION", 0.1)


async def words(cluster: Cluster) -> list[str]:
    project = await cluster.engine.project()
    return [step.word for step in await said(registered.registered(cluster.engine, cluster.stack, project))]


async def test_all_are_registered(cluster: Cluster) -> None:
    cluster.start(1)
    assert await words(cluster) == ["2 workers registered"]


async def test_one_is_missing(cluster: Cluster) -> None:
    cluster.start(1)
    del cluster.master.workers[0]
    with pytest.raises(NotReady, match=r"^demo-first-1: not registered with the Spark master after \d"):
        await words(cluster)


@pytest.mark.parametrize("known", [1, 2])
async def test_which_is_which_cannot_be_told(cluster: Cluster, known: int) -> None:
    """With as many as there should be, and with fewer."""
    cluster.start(1)
    for worker in cluster.master.workers:
        worker.update(host="localhost", webuiaddress="http://localhost:8081")
    del cluster.master.workers[known:]
    (word,) = await words(cluster)
    assert word.endswith("; whether demo-first-1, demo-more-1 are among them cannot be told")
    assert word.startswith("2 workers" if known == 2 else "1 worker ")


async def test_a_master_that_does_not_answer(cluster: Cluster) -> None:
    cluster.start(1)
    cluster.master.silent = True
    with pytest.raises(NotReady, match="the Spark master does not answer"):
        await words(cluster)
