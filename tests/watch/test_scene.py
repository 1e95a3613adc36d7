"""What one moment of a stack amounts to: status, deck, `up` and doctor say the same of it."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.clients import conftest
from tests.scripted_engine import ScriptedEngine
from tests.spark_master import Master
from tests.watch.conftest import until
from tui.actions.registered import registered
from tui.actions.replicas import Chosen
from tui.checks.moment import check_moment
from tui.checks.situation import Situation
from tui.cli.status import look as status
from tui.engine.interface import Health, State
from tui.stack.model import Layout, Link, Port, Project, Role, Service, ServiceLayout, Stack
from tui.watch import ready
from tui.watch.cluster import look_at_cluster
from tui.watch.live import StackWatch
from tui.watch.session import Session

serve = conftest.serve

CHECKED = {"has_health_check": True}
SERVICES: dict[str, dict[str, Any]] = {
    **{"master": {}, "worker": {"replicas": 3}, "well": CHECKED, "sick": CHECKED, "slow": CHECKED, "job": {}},
    **{"fell": {}, "loop": {}, "held": {}, "off": {}, "late": {"depends_on": {"slow": "service_healthy"}}},
    "after": {"depends_on": {"job": "service_completed_successfully"}},
}
PROJECT = Project("demo", {name: Service(name, **fields) for name, fields in SERVICES.items()})
LAYOUT = Layout(
    "demo",
    "Demo",
    services=(
        ServiceLayout("master", Role.SPARK_MASTER, links=(Link("Spark master", 8080),)),
        ServiceLayout("worker", Role.SPARK_WORKER),
    ),
)
WORDS = {
    **{"master/1": "running", "worker/1": "running", "worker/2": "not registered", "worker/3": "down"},
    **{"well/1": "healthy", "sick/1": "unhealthy", "slow/1": "starting", "job/1": "done", "fell/1": "ended"},
    **{"loop/1": "restarting", "held/1": "paused", "off/1": "down", "late/1": "created", "after/1": "running"},
}


@pytest.fixture
async def session(tmp_path: Path, serve: conftest.Serve) -> AsyncGenerator[Session]:
    """A stack where every state is."""
    master = Master()
    engine = ScriptedEngine(PROJECT)
    engine.add("master", ports=(Port(8080, urlsplit(await serve(master.answer)).port, "127.0.0.1"),))
    master.add("worker-1", engine.add("worker", 1).host)
    engine.add("worker", 2)
    for name, health in (("well", Health.HEALTHY), ("sick", Health.UNHEALTHY), ("slow", Health.STARTING)):
        engine.add(name, health=health)
    engine.finish(engine.add("job"))
    engine.finish(engine.add("fell"), 3)
    for name, state in (("loop", State.RESTARTING), ("held", State.PAUSED), ("late", State.CREATED)):
        engine.add(name, state=state)
    engine.add("after")
    made = Session(engine, Stack("demo", tmp_path, (), tmp_path, layout=LAYOUT), PROJECT)
    yield made
    await made.close()


async def test_all_fronts_say_the_same(session: Session) -> None:
    rows, _ = await status(session, Chosen())
    names = [f"worker-{key[-1]}" if key.startswith("worker") else key.partition("/")[0] for key in WORDS]
    assert {row["name"]: row["state"] for row in rows} == dict(zip(names, WORDS.values(), strict=True))

    watch = StackWatch(session.engine, session.stack, session.project)
    await watch.start()
    try:
        await until(lambda: watch.spark is not None)
        assert {key: pane.word for key, pane in watch.panes.items()} == WORDS
        assert [pane.well for pane in watch.panes.values()] == [row["well"] for row in rows]
        assert [pane.condition.reason for pane in watch.panes.values()] == [row.get("why", "") for row in rows]
    finally:
        await watch.close()

    engine, stack, project = session.engine, session.stack, session.project
    steps = {step.service: step for step in await ready.look(engine, stack, project, list(project.services.values()))}
    well = {name: all(row["well"] for row in rows if row["service"] == name) for name in project.services}
    assert {name: step.ready for name, step in steps.items()} == well
    assert {name for name, step in steps.items() if step.failed} == {"fell", "sick"}
    for name in ("sick", "slow", "loop", "held"):
        assert steps[name].word == WORDS[f"{name}/1"]

    replicas = await engine.replicas()
    cluster = await look_at_cluster(engine, stack, project, replicas)
    found = check_moment(Situation(stack, project, replicas, cluster, engine.info))
    assert {finding.service for finding in found} == {"worker", "sick", "fell", "loop"}


async def test_up_and_status_know_the_same_workers(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui.actions.registered.REGISTRATION", 0.0)
    with pytest.raises(ready.NotReady, match="demo-worker-2"):
        async for _ in registered(session.engine, session.stack, session.project):
            pass


async def test_a_master_that_answers_nothing_is_not_well(
    tmp_path: Path, serve: conftest.Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Status, deck and doctor; once it answers all is well."""
    monkeypatch.setattr("tui.watch.cluster.AGAIN_SECONDS", 0.01)
    monkeypatch.setattr("tui.watch.live.MASTER_SECONDS", 0.02)
    master = Master()
    master.silent = True
    project = Project("demo", {"master": Service("master")})
    engine = ScriptedEngine(project)
    engine.add("master", ports=(Port(8080, urlsplit(await serve(master.answer)).port, "127.0.0.1"),))
    session = Session(engine, Stack("demo", tmp_path, (), tmp_path, layout=LAYOUT), project)
    ((row,), state) = await status(session, Chosen())
    assert (row["state"], row["well"], state) == ("silent", False, None) and "does not answer" in row["why"]
    replicas = await engine.replicas()
    cluster = await look_at_cluster(engine, session.stack, project, replicas)
    (finding,) = check_moment(Situation(session.stack, project, replicas, cluster, engine.info))
    assert finding.service == "master" and "does not answer" in finding.what

    watch = StackWatch(engine, session.stack, project)
    await watch.start()
    try:
        await until(lambda: watch.panes["master/1"].word == "silent")
        master.silent = False
        await until(lambda: watch.panes["master/1"].word == "running")
    finally:
        await watch.close()
    await session.close()
