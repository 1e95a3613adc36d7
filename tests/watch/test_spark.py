"""The Spark master's view beside the engine's, and links that lead somewhere."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.clients import conftest
from tests.scripted_engine import ScriptedEngine
from tests.spark_master import Master
from tests.watch.conftest import until
from tui.clients.jupyter import LIST_COMMAND
from tui.engine.interface import Health
from tui.stack.model import Layout, Link, Port, Project, Role, Service, ServiceLayout, Stack
from tui.watch import live
from tui.watch.live import StackWatch

serve = conftest.serve

PROJECT = Project("demo", {name: Service(name) for name in ("master", "worker", "notebook")})
LAYOUT = Layout(
    "demo",
    "Demo",
    services=(
        ServiceLayout("master", Role.SPARK_MASTER, links=(Link("Spark master", 8080),)),
        ServiceLayout("worker", Role.SPARK_WORKER, links=(Link("Worker", 8080, "/proxy/{worker_id}/", "master"),)),
        ServiceLayout("notebook", Role.JUPYTER, links=(Link("Jupyter", 8888, "/lab?token={token}"),)),
    ),
)


@pytest.fixture
async def watch(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[tuple[ScriptedEngine, StackWatch]]:
    monkeypatch.setattr(live, "MASTER_SECONDS", 0.02)
    engine = ScriptedEngine(PROJECT)
    watching = StackWatch(engine, Stack("demo", stack.folder, (), stack.home, layout=LAYOUT), PROJECT)
    yield engine, watching
    await watching.close()


async def test_a_healthy_worker_that_the_master_does_not_know_is_flagged(watch: Any, serve: Any) -> None:
    engine, watching = watch
    master = Master()
    port = urlsplit(await serve(master.answer)).port
    replica = engine.add("master", ports=(Port(8080, port, "127.0.0.1"),))
    engine.add("worker", health=Health.HEALTHY, addresses=("10.0.0.7",))
    await watching.start()
    pane = watching.panes["worker/1"]
    await until(lambda: pane.word == "not registered")
    assert not pane.well and pane.note == "the Spark master does not know it" and pane.links == ()

    master.add("worker-7", "10.0.0.7", coresused=1, memoryused=512)
    await until(lambda: pane.word == "healthy" and pane.links)
    assert pane.line == "1 of 2 cores, 0.5 of 2 GiB"
    assert pane.links == (("Worker", f"http://localhost:{port}/proxy/worker-7/"),)
    master.apps = [{"id": "app-1", "name": "flights", "state": "WAITING", "cores": 0}]
    line = "1 worker, 1 of 2 cores, 0.5 of 2 GiB, flights waiting"
    await until(lambda: watching.panes["master/1"].line == line)
    assert watching.spark is not None

    engine.finish(replica)
    await until(lambda: watching.spark is None)
    assert pane.line == "" and pane.word == "healthy"
    asked = master.asked
    await watching.refresh()
    assert master.asked == asked, "a master that does not run is not asked"


async def test_the_token_is_looked_up_once_a_start(watch: Any) -> None:
    engine, watching = watch
    server = '{"url": "http://x:8888/", "token": "t0ken", "base_url": "/"}'
    engine.executions["notebook", LIST_COMMAND] = (0, server)
    replica = engine.add("notebook", health=Health.STARTING, ports=(Port(8888, 18888, "127.0.0.1"),))
    await watching.start()
    pane = watching.panes["notebook/1"]
    await until(lambda: pane.word == "starting")
    assert engine.calls["execute"] == 0
    engine.change(replica, health=Health.HEALTHY)
    await until(lambda: pane.links == (("Jupyter", "http://localhost:18888/lab?token=t0ken"),))
    for _ in range(3):
        await watching.refresh()
    assert engine.calls["execute"] == 1
    engine.finish(replica)
    await until(lambda: pane.links == ())


async def test_a_jupyter_that_has_no_server_is_not_asked_at_every_look(watch: Any) -> None:
    engine, watching = watch
    engine.add("notebook", health=Health.HEALTHY, ports=(Port(8888, 18888, "127.0.0.1"),))
    engine.executions["notebook", LIST_COMMAND] = (127, "jupyter: not found")
    await watching.start()
    await until(lambda: engine.calls["execute"] == 1)
    for _ in range(3):
        await watching.refresh()
    assert engine.calls["execute"] == 1 and watching.panes["notebook/1"].links == ()


async def test_a_port_that_is_not_published_takes_no_token(watch: Any) -> None:
    engine, watching = watch
    engine.add("notebook", health=Health.HEALTHY)
    await watching.start()
    await until(lambda: watching.panes["notebook/1"].word == "healthy")
    await watching.refresh()
    assert engine.calls["execute"] == 0


async def test_a_token_is_looked_up_again_only_after_a_start(watch: Any) -> None:
    """A health check that fails for a moment is none; each replica has its own."""
    engine, watching = watch
    engine.executions["notebook", LIST_COMMAND] = (0, '{"url": "http://x:8888/", "token": "t0ken"}')
    one = engine.add("notebook", health=Health.HEALTHY, ports=(Port(8888, 18888, "127.0.0.1"),))
    two = engine.add("notebook", 2, health=Health.HEALTHY, ports=(Port(8888, 18889, "127.0.0.1"),))
    await watching.start()
    await until(lambda: watching.panes["notebook/1"].links and watching.panes["notebook/2"].links)
    asked = [arguments[2] for name, arguments in engine.actions if name == "execute"]
    assert asked == [one.id, two.id]
    for health in (Health.UNHEALTHY, Health.HEALTHY):
        engine.change(one, health=health)
        await watching.refresh()
    assert engine.calls["execute"] == 2
    engine.finish(one)
    engine.begin(one)
    engine.change(one, health=Health.HEALTHY)
    await until(lambda: engine.calls["execute"] == 3)
