"""`m`: what the models are worth."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.deck.fakes import SERVICES, layout_project
from tests.deck.harness import Deck, deck_on, scripted
from tests.real.deck import free_ports
from tests.scripted_engine import ScriptedEngine
from tui.clients.mlflow import RUN_TAG
from tui.deck.handlers import views
from tui.deck.screens.mlflow import MlflowScreen
from tui.deck.screens.panes import PanesScreen
from tui.engine.interface import Health
from tui.stack.model import Port

CAPTURE = Path(__file__).parents[1] / "clients" / "captures" / "mlflow317-runs-search.json"
JOB = "flight-delay-job"


def runs() -> list[Any]:
    """The captured run, a second one that differs, and one that hangs and says hostile things."""
    text = CAPTURE.read_text()
    first, second, third = (json.loads(text)["runs"][0] for _ in range(3))
    second["info"] |= {"run_id": "second", "run_name": "r2"}
    second["data"]["metrics"][1]["value"] = 0.75
    second["data"]["params"][0]["value"] = "60"
    second["data"]["params"] += [{"key": f"x{number:03}", "value": "long " * 2000} for number in range(300)]
    third["info"] |= {"run_id": "third", "run_name": "bad\x1b]0;title\x07[red]", "status": "RUNNING", "end_time": None}
    third["data"]["tags"].append({"key": RUN_TAG, "value": JOB})
    return [third, second, first]


@dataclass
class Server:
    """What answers as MLflow 3.17 did, and how often it was asked for runs."""

    port: int = 0
    runs: list[Any] = field(default_factory=runs)
    asked: int = 0
    has_registry: bool = True

    async def answer(self, request: web.Request) -> web.Response:
        match request.path.removeprefix("/api/2.0/mlflow/"):
            case "experiments/search":
                return web.json_response({"experiments": [{"experiment_id": "1", "name": "flights"}]})
            case "runs/search":
                body = await request.json()
                assert body["experiment_ids"] == ["1"]
                # The pane's own line asks for the newest one alone.
                self.asked += body["max_results"] > 1
                return web.json_response({"runs": self.runs})
            case "model-versions/search" if self.has_registry:
                return web.json_response({"model_versions": [{"name": "delays", "version": "3", "run_id": "second"}]})
            case "registered-models/search" if self.has_registry:
                aliases = [{"alias": "champion", "version": "3"}, {"alias": "old", "version": "2"}]
                return web.json_response({"registered_models": [{"name": "delays", "aliases": aliases}]})
        return web.Response(status=404)


@pytest.fixture
async def mlflow() -> AsyncGenerator[Server]:
    """The server, listening."""
    app, server = web.Application(), Server()
    app.router.add_route("*", "/{tail:.*}", server.answer)
    listening = TestServer(app)
    await listening.start_server()
    assert listening.port is not None
    server.port = listening.port
    yield server
    await listening.close()


async def to_mlflow(deck: Deck, port: int) -> None:
    engine = deck.engine
    (replica,) = [one for one in await engine.replicas() if one.service == "mlflow"]
    engine.change(replica, "health", ports=(Port(5000, port, "127.0.0.1"),))
    pane = deck.app.desk.panes["mlflow/1"]
    await deck.until(lambda: pane.replica and pane.replica.ports, "the port is known")
    await deck.press("m")
    await deck.until(lambda: isinstance(deck.app.screen, MlflowScreen), "the runs")


async def test_runs_with_metrics_experiment_and_what_they_became(mlflow: Server) -> None:
    async with deck_on(scripted()) as deck:
        await to_mlflow(deck, mlflow.port)
        await deck.until_seen("✓ finished")
        head, stale, second, first = deck.text().splitlines()[3:7]
        assert [word for word in ("experiment", "run", "model", "cv_auc", "test_auc") if word not in head] == []
        assert "flights" in first and "r1" in first and "0.64" in first and "0.71" in first
        assert "r2" in second and "delays 3 champion" in second and "0.75" in second
        # Neither a title nor markup of theirs is ours; how long it took until it was left nobody knows.
        assert "▲ stale" in stale and " - " in stale and "bad[red]" in stale and "\x1b" not in deck.text()
        assert "what logged it is gone" in deck.text()


async def test_a_server_without_a_registry(mlflow: Server) -> None:
    mlflow.has_registry = False
    async with deck_on(scripted()) as deck:
        await to_mlflow(deck, mlflow.port)
        await deck.until_seen("test_auc")
        assert "champion" not in deck.text() and "r2" in deck.text()


async def test_two_runs_side_by_side(mlflow: Server) -> None:
    async with deck_on(scripted()) as deck:
        await to_mlflow(deck, mlflow.port)
        await deck.until_seen("✓ finished")
        # Of three the two that were marked last.
        await deck.press("space", "j", "space", "j", "space")
        await deck.until_seen("Parameters that differ")
        row = next(line for line in deck.text().splitlines() if "numTrees" in line)
        assert row.index("60") < row.index("15")
        await deck.press("space")
        await deck.until(lambda: "that differ" not in deck.text(), "one run again")


async def test_one_run_is_read_in_full_and_bounded(mlflow: Server) -> None:
    async with deck_on(scripted(), size=(80, 24)) as deck:
        await to_mlflow(deck, mlflow.port)
        await deck.until_seen("✓ finished")
        await deck.press("j", "enter")
        await deck.until(lambda: "finished" not in deck.text(), "the run alone")
        assert "Registered as" in deck.text() and "champion" in deck.text()
        await deck.press("G", "end")
        await deck.until_seen("and 101 more")
        await deck.press("escape")
        await deck.until_seen("✓ finished")
        await deck.press("escape")
        await deck.until(lambda: isinstance(deck.app.screen, PanesScreen), "the panes")


async def test_the_filter_narrows_and_esc_ends_it_first(mlflow: Server) -> None:
    async with deck_on(scripted()) as deck:
        await to_mlflow(deck, mlflow.port)
        await deck.until_seen("r1")
        await deck.press("slash", *"numtrees=60")
        await deck.until(lambda: "r1" not in deck.text() and "r2" in deck.text(), "only the wanted one")
        await deck.press("escape")
        await deck.until_seen("r1")
        await deck.press("escape")
        await deck.until(lambda: isinstance(deck.app.screen, PanesScreen), "the panes")


async def test_the_server_is_asked_again_when_a_job_has_ended(mlflow: Server) -> None:
    engine = scripted()
    engine.add("spark-submit", number=2, labels={"run": JOB}, health=Health.NONE)
    async with deck_on(engine) as deck:
        await to_mlflow(deck, mlflow.port)
        await deck.until_seen("▸ running")
        assert "stale" not in deck.text() and mlflow.asked == 1
        mlflow.runs[0]["info"] |= {"status": "FAILED", "end_time": mlflow.runs[0]["info"]["start_time"] + 90_000}
        engine.finish(next(one for one in await engine.replicas() if one.is_run), 1)
        await deck.until_seen("✗ failed")
        assert "1:30" in deck.text()


async def test_a_runs_id_is_copied_and_its_page_opened(mlflow: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr(views, "has_browser", lambda: True)

    async def open_page(url: str) -> bool:
        opened.append(url)
        return True

    monkeypatch.setattr(views, "open_page", open_page)
    async with deck_on(scripted()) as deck:
        await to_mlflow(deck, mlflow.port)
        await deck.until_seen("test_auc")
        await deck.press("j", "o")
        await deck.until(lambda: opened, "a page was opened")
        assert opened == [f"http://localhost:{mlflow.port}/#/experiments/1/runs/second"]
        await deck.press("m")
        await deck.until_seen("test_auc")
        await deck.press("y")
        await deck.until(lambda: any("third" in message for message in deck.messages), "the id was copied")


async def test_an_mlflow_that_does_not_answer() -> None:
    async with deck_on(scripted()) as deck:
        await to_mlflow(deck, free_ports(1)[0])
        await deck.until_seen("sparkdeck status")


@pytest.mark.parametrize(
    ("names", "up", "said"),
    [
        (SERVICES, True, "The runs of mlflow cannot be read: its port"),
        (SERVICES, False, "sparkdeck up mlflow"),
        ([name for name in SERVICES if name != "mlflow"], True, "has no MLflow"),
    ],
)
async def test_where_no_runs_can_be_read_it_says_what_to_do(names: list[str], up: bool, said: str) -> None:
    engine = scripted() if up else ScriptedEngine(layout_project(names))
    async with deck_on(engine) as deck:
        ready = deck.app.desk.ready
        assert ready is not None
        # A layout may not name what is not there, so it is the open project that lacks the service.
        ready.project = replace(ready.project, services={name: ready.project.services[name] for name in names})
        await deck.press("m")
        await deck.until(lambda: any(said in message for message in deck.messages), said)
