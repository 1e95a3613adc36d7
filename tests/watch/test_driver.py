"""A driver's page: through the master's proxy, on its own port, from the history server, or nowhere."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.scripted_engine import ScriptedEngine
from tui.engine.interface import NoWay, Replica
from tui.stack.model import Layout, Link, Port, Project, Role, Service, ServiceLayout, Stack
from tui.watch.driver import DriverUi, driver_ui

APP = "app-1"
PROJECT = Project(
    "demo",
    {
        "master": Service("master", ports=(Port(8080, None),)),
        "old": Service("old", ports=(Port(18080, None),)),
        "client": Service("client"),
    },
)


class Spark:
    """A master with or without a proxy, a driver, a history server: each says by its path who it is."""

    def __init__(self) -> None:
        self.proxies = True
        self.drives = True
        self.remembers = True

    async def answer(self, request: web.Request) -> web.Response:
        there = {
            f"/proxy/{APP}/api/v1/applications/{APP}": self.proxies,
            f"/api/v1/applications/{APP}": self.remembers if request.headers["Host"] == self.history else self.drives,
        }
        return web.json_response(
            {"id": APP, "name": "x", "attempts": []}, status=200 if there.get(request.path) else 404
        )

    history = ""


@pytest.fixture
async def spark() -> AsyncGenerator[tuple[Spark, ScriptedEngine, Replica]]:
    made, servers = Spark(), []
    for _ in range(3):
        app = web.Application()
        app.router.add_route("*", "/{tail:.*}", made.answer)
        servers.append(TestServer(app, port=0))
        await servers[-1].start_server()
    master, driver, old = [server.port or 0 for server in servers]
    made.history = f"localhost:{old}"
    engine = ScriptedEngine(PROJECT)
    engine.add("master", ports=(Port(8080, master),))
    engine.add("old", ports=(Port(18080, old),))
    run = engine.add_run("client", "train-1", ports=(Port(4050, driver),), command=("--conf", "spark.ui.port=4050"))
    yield made, engine, run
    for server in servers:
        await server.close()


async def test_each_way_in_its_turn(spark: tuple[Spark, ScriptedEngine, Replica], stack: Stack) -> None:
    made, engine, run = spark
    replicas = await engine.replicas()
    port = {one.service: one.ports[0].published for one in replicas}

    async def found() -> DriverUi | NoWay:
        return await driver_ui(engine, stack, PROJECT, replicas, APP, driver=run)

    proxy = f"http://localhost:{port['master']}/proxy/{APP}"
    assert await found() == DriverUi(f"{proxy}/", proxy)
    made.proxies = False
    own = f"http://localhost:{port['client']}"
    assert await found() == DriverUi(f"{own}/", own)
    made.drives = False
    history = f"http://localhost:{port['old']}"
    assert await found() == DriverUi(f"{history}/history/{APP}/", history)
    made.remembers = False
    nowhere = await found()
    assert isinstance(nowhere, NoWay) and "only its log" in nowhere.why


@pytest.fixture
def stack(tmp_path: object) -> Stack:
    """A master that is linked by its page."""
    layout = Layout("demo", "Demo", services=(ServiceLayout("master", Role.SPARK_MASTER, links=(Link("UI", 8080),)),))
    return Stack("demo", tmp_path, (), tmp_path, layout=layout)  # type: ignore[arg-type]
