"""What services say of their own work, asked where they are published, and the logins that takes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from aiohttp import web

from tests.clients import conftest
from tests.clients.test_airflow import Airflow
from tests.clients.test_object_store import Store
from tests.scripted_engine import ScriptedEngine
from tests.watch.conftest import until
from tui.clients import object_store
from tui.clients.airflow import DagRun
from tui.clients.mlflow import ModelAlias
from tui.clients.object_store import Contents
from tui.engine.interface import Health, State
from tui.stack.model import Layout, Link, Port, Project, Role, Service, ServiceLayout, Stack
from tui.watch import role_lines
from tui.watch.cluster import Cluster
from tui.watch.live import StackWatch
from tui.watch.roles import WATCHED, has_login, login_of
from tui.watch.roles.app import status_text
from tui.watch.roles.kind import Login
from tui.watch.roles.mlflow import mlflow_text
from tui.watch.roles.object_store import contents_text
from tui.watch.roles.scheduler import AIRFLOW_PASSWORDS, dag_run_text, health_text

serve, captures = conftest.serve, conftest.captures
Serve = conftest.Serve

ROLES = {"minio": Role.OBJECT_STORE, "airflow": Role.SCHEDULER, "mlflow": Role.MLFLOW, "api": Role.APP}
PORTS = {"minio": (9000, 9001), "airflow": (8080,), "mlflow": (5000,), "api": (8000,)}
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def project(**environment: str) -> Project:
    ports = {name: tuple(Port(port, None) for port in found) for name, found in PORTS.items()}
    return Project("p", {name: Service(name, ports=ports[name], environment=environment) for name in ROLES})


def layout() -> Layout:
    links = {name: (Link(name, found[-1]),) for name, found in PORTS.items()}
    return Layout(
        "p", "P", services=tuple(ServiceLayout(name, role, links=links[name]) for name, role in ROLES.items())
    )


@dataclass
class Scene:
    """An engine whose services a test lets answer, and its watch."""

    engine: ScriptedEngine
    watch: StackWatch
    serve: Serve

    async def add(self, service: str, answers: dict[int, Any], **fields: Any) -> Any:
        """A replica with these ports published, each answered by its handler."""
        ports = [Port(port, urlsplit(await self.serve(answer)).port, "127.0.0.1") for port, answer in answers.items()]
        return self.engine.add(service, ports=tuple(ports), **fields)

    def line(self, service: str) -> str:
        return self.watch.panes[f"{service}/1"].line


@pytest.fixture
async def scene(serve: Serve, stack: Stack, monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[Callable[..., Scene]]:
    for asker in filter(None, (one.asker for one in WATCHED.values())):
        monkeypatch.setattr(asker, "seconds", 0.02)
    monkeypatch.setattr(role_lines, "BUSY", 1)
    monkeypatch.setattr(object_store, "PAGE", 2)
    watches = []

    def make(**environment: str) -> Scene:
        found = project(**environment)
        engine = ScriptedEngine(found)
        watches.append(StackWatch(engine, replace(stack, layout=layout()), found))
        return Scene(engine, watches[-1], serve)

    yield make
    for watch in watches:
        await watch.close()
    assert not [task for task in asyncio.all_tasks() if task.get_name() == "watch-line"]


async def console(request: web.Request) -> web.Response:
    return web.Response(text="<!doctype html><html>", content_type="text/html")


async def test_an_object_store_says_what_it_holds(scene: Callable[..., Scene], captures: Any) -> None:
    here = scene(MINIO_ROOT_USER="me", MINIO_ROOT_PASSWORD="secret")
    store = Store(captures)
    replica = await here.add("minio", {9000: store.answer, 9001: console}, health=Health.STARTING)
    await here.watch.start()
    await until(lambda: here.watch.panes["minio/1"].word == "starting")
    assert here.line("minio") == "" and not store.asked, "what starts is not asked"
    here.engine.change(replica, health=Health.HEALTHY)
    await until(lambda: here.line("minio"))
    assert here.line("minio") == "2 buckets · 3 objects · 97.7 KiB"
    here.engine.finish(replica)
    await until(lambda: here.line("minio") == "")
    # What was on its way arrives meanwhile.
    await here.watch.refresh()
    asked = len(store.asked)
    await here.watch.refresh()
    assert len(store.asked) == asked, "what has ended is not asked"


async def test_an_object_store_without_credentials_is_only_live(scene: Callable[..., Scene]) -> None:
    here = scene()

    async def live(request: web.Request) -> web.Response:
        return web.Response(status=200 if request.path == "/minio/health/live" else 403)

    await here.add("minio", {9000: live})
    await here.watch.start()
    await until(lambda: here.line("minio"))
    assert here.line("minio") == "live; what it holds takes credentials"


@pytest.mark.parametrize(
    ("status", "text"), [(None, "no port that is published speaks S3"), (403, "it answers with status 403")]
)
async def test_what_an_object_store_does_not_tell_is_unknown(
    scene: Callable[..., Scene], status: int | None, text: str
) -> None:
    here = scene(MINIO_ROOT_USER="me", MINIO_ROOT_PASSWORD="wrong")

    async def refuse(request: web.Request) -> web.Response:
        return web.Response(status=403)

    await here.add("minio", {9000: refuse, 9001: console} if status else {9001: console})
    await here.watch.start()
    await until(lambda: here.line("minio"))
    assert here.line("minio") == f"unknown: {text}"


async def test_a_scheduler_says_its_health_and_its_newest_run(scene: Callable[..., Scene]) -> None:
    here = scene()
    airflow = Airflow()
    here.engine.executions["airflow", AIRFLOW_PASSWORDS] = (1, "cat: /airflow/x: No such file")
    await here.add("airflow", {8080: airflow.answer}, health=Health.HEALTHY)
    await here.watch.start()
    await until(lambda: here.line("airflow"))
    assert here.line("airflow") == "scheduler unhealthy · last run unknown: no login is known"
    here.engine.executions["airflow", AIRFLOW_PASSWORDS] = (0, '{"bob": "x", "admin": "pw"}\n')
    await until(lambda: " · train success " in here.line("airflow"))
    executed = here.engine.calls["execute"]
    # A new token is fetched when the old one is refused.
    airflow.token, tokens = "t2", airflow.asked.count("/auth/token")
    await until(lambda: airflow.asked.count("/auth/token") > tokens and " · train success " in here.line("airflow"))
    assert here.engine.calls["execute"] == executed + 1


async def test_mlflow_says_experiments_newest_run_and_champion(scene: Callable[..., Scene], captures: Any) -> None:
    here = scene()
    runs = json.loads((captures / "mlflow317-runs-search.json").read_text())

    async def answer(request: web.Request) -> web.Response:
        match request.path.rpartition("mlflow/")[2]:
            case "experiments/search":
                return web.json_response({"experiments": [{"experiment_id": "1", "name": "a"}]})
            case "runs/search":
                return web.json_response(runs)
            case _:
                model = {"name": "delays", "aliases": [{"alias": "champion", "version": "3"}]}
                return web.json_response({"registered_models": [model]})

    await here.add("mlflow", {5000: answer})
    await here.watch.start()
    await until(lambda: here.line("mlflow"))
    first, last, champion = here.line("mlflow").split(" · ")
    assert (first, champion) == ("1 experiment", "delays champion v3") and last.startswith("last run r1 finished ")


async def test_an_application_says_its_status_where_it_has_a_health_path(scene: Callable[..., Scene]) -> None:
    here = scene()
    asked: list[str] = []
    well = True

    async def answer(request: web.Request) -> web.Response:
        asked.append(request.path)
        return web.Response(status=404 if request.path != "/healthz" else 200 if well else 503)

    await here.add("api", {8000: answer})
    await here.watch.start()
    await until(lambda: here.line("api") == "healthy: /healthz 200")
    well = False
    await until(lambda: here.line("api") == "not well: /healthz 503")
    assert asked.count("/health") == 1 and "/" not in asked, "the path is found once"


@pytest.mark.parametrize(
    ("answers", "line"),
    [
        ({"/ready": 200}, "healthy: /ready 200"),
        ({"/ready": 401}, "alive: /ready 401, it asks for a login"),
        ({"/ready": 404, "/health": 503}, "not well: /health 503"),
        ({"/": 302}, "alive: / 302, which leads elsewhere"),
        ({"/": 401}, "alive: / 401, it asks for a login"),
        ({"/": 400}, "unknown: no health path answers (/ 400)"),
    ],
)
async def test_the_path_of_the_health_check_goes_first(
    serve: Serve, stack: Stack, answers: dict[str, int], line: str
) -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(status=answers.get(request.path, 404))

    found = project()
    test = ("CMD-SHELL", "curl -f http://localhost:8000/ready || exit 1")
    found = replace(found, services={**found.services, "api": replace(found.services["api"], health_test=test)})
    engine = ScriptedEngine(found)
    replica = engine.add("api", ports=(Port(8000, urlsplit(await serve(answer)).port, "127.0.0.1"),))
    lines = await role_lines.role_lines(engine, replace(stack, layout=layout()), found, [replica], Cluster())
    assert lines == {replica.id: line}


@pytest.mark.parametrize(
    ("location", "line"),
    [
        ("/login?next=1", "healthy: / 200"),
        ("login", "healthy: / 200"),
        ("/broken", "not well: / 500"),
        ("http://elsewhere.example/login", "alive: / 302, which leads elsewhere"),
        ("/", "alive: / 302, which leads elsewhere"),
    ],
)
async def test_a_redirect_is_followed_on_the_same_server(serve: Serve, stack: Stack, location: str, line: str) -> None:
    async def answer(request: web.Request) -> web.Response:
        if request.path == "/":
            return web.Response(status=302, headers={"Location": location})
        return web.Response(status={"/login": 200, "/broken": 500}.get(request.path, 404))

    found = project()
    engine = ScriptedEngine(found)
    replica = engine.add("api", ports=(Port(8000, urlsplit(await serve(answer)).port, "127.0.0.1"),))
    lines = await role_lines.role_lines(engine, replace(stack, layout=layout()), found, [replica], Cluster())
    assert lines == {replica.id: line}


async def test_where_a_health_path_is_is_learned_once(
    serve: Serve, stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also over the end of a command: its log is not filled with what is not there."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    asked: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(request.path)
        return web.Response(status=200 if request.path == "/api/health" else 404)

    found = project()
    engine = ScriptedEngine(found)
    replica = engine.add("api", ports=(Port(8000, urlsplit(await serve(answer)).port, "127.0.0.1"),))
    for _ in range(2):
        lines = await role_lines.role_lines(engine, replace(stack, layout=layout()), found, [replica], Cluster())
        assert lines == {replica.id: "healthy: /api/health 200"}
    assert asked == ["/health", "/healthz", "/api/health", "/api/health"]


async def test_what_is_not_well_by_its_own_word_is_not_well(scene: Callable[..., Scene]) -> None:
    """In the pane, and what the doctor makes of it."""
    here = scene()
    status = 500

    async def answer(request: web.Request) -> web.Response:
        return web.Response(status=status if request.path == "/health" else 404)

    await here.add("api", {8000: answer})
    await here.watch.start()
    pane = here.watch.panes["api/1"]
    await until(lambda: pane.word == "unhealthy")
    assert not pane.well and pane.condition.reason == "not well: /health 500"
    status = 200
    await until(lambda: pane.word == "running")


async def test_what_does_not_answer_is_unknown(scene: Callable[..., Scene]) -> None:
    here = scene()
    here.engine.add("api", ports=(Port(8000, 9, "127.0.0.1"),))
    here.engine.add("mlflow")
    await here.watch.start()
    await until(lambda: here.line("api"))
    assert here.line("api") == "unknown: it does not answer" and here.line("mlflow") == ""


def test_texts() -> None:
    assert contents_text(Contents(1, 0, 0)) == "1 bucket · 0 objects · 0 B"
    assert contents_text(Contents(2, 10_000, 5 * 1024**2, more=True)) == "2 buckets · 10,000+ objects · 5.0 MiB+"
    assert health_text({"database": "healthy", "scheduler": "un\x1bwell"}) == "scheduler un well"
    assert health_text({"database": "healthy"}) == "healthy"
    began = datetime(2026, 11, 20, 12, 0, 7).astimezone()
    run = DagRun("train", "r", "running", began)
    assert dag_run_text(run, began + timedelta(seconds=42)) == "train running since 12:00:07"
    assert dag_run_text(run, began + timedelta(days=1)) == "train running since 20 Nov 12:00"
    assert dag_run_text(DagRun("t", "r", "success", NOW, NOW - timedelta(minutes=2)), NOW) == "t success 2 min ago"
    assert dag_run_text(DagRun("t", "r", "queued"), NOW) == "t queued" and dag_run_text(None, NOW) == "no DAG run yet"
    aliases = [ModelAlias("m", "champion", "3"), ModelAlias("m", "old", "1")]
    assert mlflow_text(2, (), aliases, NOW) == "2 experiments · no run yet · m champion v3"
    assert mlflow_text(1000, (), aliases[1:], NOW) == "1,000+ experiments · no run yet · m old v1"
    assert status_text("/x\x1b[31m", 500) == "not well: /x [31m 500"


@pytest.mark.parametrize(
    ("service", "environment", "file", "login"),
    [
        ("minio", {"MINIO_ROOT_USER": "a", "MINIO_ROOT_PASSWORD": "b"}, None, Login("a", "b")),
        ("minio", {"MINIO_ACCESS_KEY": "a", "MINIO_SECRET_KEY": "b"}, None, Login("a", "b")),
        ("minio", {"MINIO_ROOT_USER": "", "MINIO_ROOT_PASSWORD": ""}, None, None),
        ("api", {"MINIO_ROOT_USER": "a", "MINIO_ROOT_PASSWORD": "b"}, None, None),
        ("airflow", {}, (0, '{"admin": "pw"}\nand more'), Login("admin", "pw")),
        ("airflow", {}, (0, '{"eve": "pw"}'), Login("eve", "pw")),
        ("airflow", {}, (0, "[1]"), None),
        (
            "airflow",
            {"_AIRFLOW_WWW_USER_USERNAME": "a", "_AIRFLOW_WWW_USER_PASSWORD": "b"},
            (1, "no such file"),
            Login("a", "b"),
        ),
    ],
)
async def test_logins(
    stack: Stack, service: str, environment: dict[str, str], file: tuple[int, str] | None, login: Login | None
) -> None:
    found = project(**environment)
    engine = ScriptedEngine(found)
    if file is not None:
        engine.executions[service, AIRFLOW_PASSWORDS] = file
    replica = engine.add(service)
    assert await login_of(engine, replace(stack, layout=layout()), replica) == login
    assert has_login(replace(stack, layout=layout()), found, service) or login is None


def test_a_login_does_not_show_its_password() -> None:
    assert "hunter2" not in repr(Login("me", "hunter2"))


async def test_airflow_that_is_down_is_not_entered(stack: Stack) -> None:
    engine = ScriptedEngine(project())
    replica = engine.add("airflow", state=State.ENDED)
    assert await login_of(engine, replace(stack, layout=layout()), replica) is None
    assert engine.calls["execute"] == 0
