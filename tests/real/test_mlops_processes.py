"""The mlops stack for real as processes of this machine: three Pythons with packages of their own, no Docker."""

from __future__ import annotations

import json
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.real.deck import Deck
from tests.real.processes import listening, ours, processes_of

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no processes are kept on Windows")


@pytest.fixture(scope="module")
def deck(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deck]:
    """The stack, healthy."""
    with processes_of("mlops", tmp_path_factory.mktemp("mlops")) as made:
        started = made.run("up", timeout=900)
        assert "as processes of " in started.stderr and ": Docker does not answer" in started.stderr
        yield made


def address(deck: Deck, service: str) -> str:
    url: str = next(link["url"] for link in deck.links() if link["service"] == service)
    return url.removesuffix("/docs").rstrip("/")


def asked(url: str, body: Any = None) -> tuple[int, Any]:
    request = urllib.request.Request(url, json.dumps(body).encode() if body is not None else None)
    request.add_header("Content-Type", "application/json")
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def test_every_service_has_an_environment_of_its_own(deck: Deck) -> None:
    rows = deck.json("status")["services"]
    assert {row["service"]: row["state"] for row in rows} == dict.fromkeys(["mlflow", "fastapi", "airflow"], "healthy")
    where = {row["service"]: deck.run("shell", row["service"], "--", "sh", "-c", "echo $VIRTUAL_ENV") for row in rows}
    assert len({done.stdout for done in where.values()}) == 3
    script = "import importlib.util as u; print(*(n for n in ('airflow', 'fastapi', 'textual') if u.find_spec(n)))"
    has = {name: deck.run("shell", name, "--", "python", "-c", script).stdout.split() for name in where}
    assert "airflow" in has["airflow"] and "airflow" not in has["mlflow"] + has["fastapi"]
    assert "fastapi" in has["fastapi"] and not any("textual" in names for names in has.values())


def test_nothing_listens_on_another_address_than_this_machines_own(deck: Deck) -> None:
    found = listening(deck)
    assert found and found <= {"127.0.0.1", "::1"}


def test_a_dag_run_ends_with_a_model_that_the_api_serves(deck: Deck) -> None:
    api = address(deck, "fastapi")
    assert asked(f"{api}/model")[0] == 503, "before there is a model"
    done = deck.run("submit", "train", timeout=400)
    assert "Succeeded" in done.stdout + done.stderr
    code, model = asked(f"{api}/model")
    assert (code, model["version"]) == (200, "1")
    fields = asked(f"{api}/openapi.json")[1]["components"]["schemas"]["Sample"]["properties"]
    code, prediction = asked(f"{api}/predict", {name: field["examples"][0] for name, field in fields.items()})
    assert (code, prediction["version"]) == (200, "1") and 0 <= prediction["probability"] <= 1
    assert asked(f"{api}/predict", {"nonsense": 1})[0] == 422


def test_down_leaves_no_process_and_cleanup_no_environment(deck: Deck) -> None:
    deck.run("down", "--yes")
    assert ours(deck) == []
    cache = Path(deck.folder.parent / "cache" / "sparkdeck")
    assert len([*cache.glob("environments/*/made.json")]) == 3, "kept for the next start"
    listed = deck.run("cleanup", "--yes")
    assert "environment of airflow" in listed.stdout + listed.stderr
    assert [*cache.glob("*/*")] == []
