"""`m` and `!`: what the models are worth, and what is wrong."""

from __future__ import annotations

import json
import webbrowser
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.deck.harness import Deck, deck_on, scripted
from tests.stacks.deck import free_ports
from tui.clients.mlflow import RUN_TAG
from tui.deck.handlers import views
from tui.deck.screens.findings import FindingsScreen
from tui.deck.screens.mlflow import MlflowScreen
from tui.deck.screens.panes import PanesScreen
from tui.engine.interface import Health
from tui.stack.model import Port

CAPTURE = Path(__file__).parents[1] / "clients" / "captures" / "mlflow317-runs-search.json"


def runs() -> list[Any]:
    """The captured run, a second one that differs, and one that hangs and says hostile things."""
    text = CAPTURE.read_text()
    first, second, third = (json.loads(text)["runs"][0] for _ in range(3))
    second["info"] |= {"run_id": "second", "run_name": "r2"}
    second["data"]["metrics"][1]["value"] = 0.75
    second["data"]["params"][0]["value"] = "60"
    third["info"] |= {"run_id": "third", "run_name": "bad\x1b]0;title\x07[red]", "status": "RUNNING", "end_time": None}
    third["data"]["tags"].append({"key": RUN_TAG, "value": "flight-delay-gone"})
    return [third, second, first]


@pytest.fixture
async def mlflow_port() -> AsyncGenerator[int]:
    """A server that answers as MLflow 3.17 did."""

    async def answer(request: web.Request) -> web.Response:
        if request.path.endswith("experiments/search"):
            return web.json_response({"experiments": [{"experiment_id": "1", "name": "flights"}]})
        assert request.path.endswith("runs/search") and (await request.json())["experiment_ids"] == ["1"]
        return web.json_response({"runs": runs()})

    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", answer)
    server = TestServer(app)
    await server.start_server()
    assert server.port is not None
    yield server.port
    await server.close()


async def to_mlflow(deck: Deck, port: int) -> None:
    engine = deck.engine
    (mlflow,) = [one for one in await engine.replicas() if one.service == "mlflow"]
    engine.change(mlflow, "health", ports=(Port(5000, port, "127.0.0.1"),))
    pane = deck.app.desk.panes["mlflow/1"]
    await deck.until(lambda: pane.replica and pane.replica.ports, "the port is known")
    await deck.press("m")
    await deck.until(lambda: isinstance(deck.app.screen, MlflowScreen), "the runs")


async def test_runs_with_their_metrics_side_by_side_and_filtered(mlflow_port: int) -> None:
    async with deck_on(scripted()) as deck:
        await to_mlflow(deck, mlflow_port)
        await deck.until_seen("test_auc 0.71")
        text = deck.text()
        assert "r1" in text and "r2" in text and "flights" in text
        # Neither a title nor markup of theirs is ours.
        assert "bad[red]" in text and "\x1b" not in text
        assert "what logged it is gone" in text
        await deck.press("j", "space", "j", "space")
        await deck.until_seen("Parameters that differ")
        assert "0.75" in deck.text() and "0.71" in deck.text() and "60" in deck.text() and "15" in deck.text()
        await deck.press("space", "slash", *"numtrees=60")
        await deck.until(lambda: "r1" not in deck.text(), "only the wanted one")
        await deck.press("escape")
        await deck.until_seen("r1")
        await deck.press("escape")
        await deck.until(lambda: isinstance(deck.app.screen, PanesScreen), "the panes")


async def test_a_runs_id_is_copied_and_its_page_opened(mlflow_port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr(views, "has_browser", lambda: True)

    def open_page(url: str) -> bool:
        opened.append(url)
        return True

    monkeypatch.setattr(webbrowser, "open", open_page)
    async with deck_on(scripted()) as deck:
        await to_mlflow(deck, mlflow_port)
        await deck.until_seen("test_auc")
        await deck.press("j", "o")
        await deck.until(lambda: opened, "a page was opened")
        assert opened == [f"http://localhost:{mlflow_port}/#/experiments/1/runs/second"]
        await deck.press("m")
        await deck.until_seen("test_auc")
        await deck.press("y")
        await deck.until(lambda: any("third" in message for message in deck.messages), "the id was copied")


async def test_without_mlflow_it_says_what_to_do() -> None:
    async with deck_on(scripted()) as deck:
        await deck.press("m")
        await deck.until(lambda: any("No MLflow" in message for message in deck.messages), "a message")


async def test_an_mlflow_that_does_not_answer() -> None:
    async with deck_on(scripted()) as deck:
        await to_mlflow(deck, free_ports(1)[0])
        await deck.until_seen("sparkdeck status")


async def test_findings_are_counted_explained_and_lead_to_the_service() -> None:
    engine = scripted()
    async with deck_on(engine) as deck:
        assert "finding" not in deck.text()
        (worker,) = [one for one in await engine.replicas() if one.service == "spark-worker-3"]
        engine.finish(worker, 137, out_of_memory=True)
        (mlflow,) = [one for one in await engine.replicas() if one.service == "mlflow"]
        engine.change(mlflow, health=Health.UNHEALTHY, health_output="Invalid Host header")
        await deck.until_seen("! 2 findings")
        await deck.press("exclamation_mark")
        await deck.until(lambda: isinstance(deck.app.screen, FindingsScreen), "the findings")
        await deck.until_seen("spark-worker-3 ran out of memory")
        await deck.until_seen("mlflow is unhealthy: Invalid Host header")
        await deck.press("enter")
        await deck.until(lambda: deck.app.focused_key == "spark-worker-3/1", "the service is focused")
        engine.begin(worker)
        engine.change(mlflow, health=Health.HEALTHY)
        engine.change(worker.id, health=Health.HEALTHY)
        await deck.until(lambda: "finding" not in deck.text(), "nothing is wrong any more")
        await deck.press("exclamation_mark")
        await deck.until_seen("Nothing is wrong")
