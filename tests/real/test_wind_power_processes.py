"""The wind-power stack for real as processes of this machine: trained, predicting, shown; no Docker."""

from __future__ import annotations

import json
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.real.deck import Deck
from tests.real.hold import until
from tests.real.processes import listening, ours, processes_of

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no processes are kept on Windows")


@pytest.fixture(scope="module")
def deck(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deck]:
    """The stack, started with sample data, trained as little as it goes."""
    with processes_of("wind-power", tmp_path_factory.mktemp("wind"), TRIALS="2") as made:
        refused = made.run("up", code=None)
        assert refused.returncode and "data" in refused.stderr, "it needs data when it starts"
        made.run("data")
        made.run("up", timeout=900)
        yield made


def address(deck: Deck, service: str) -> str:
    url: str = next(link["url"] for link in deck.json("open") if link["service"] == service)
    return url.rstrip("/")


def asked(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=30) as answer:
        return json.load(answer)


def test_training_is_done_and_the_rest_runs(deck: Deck) -> None:
    rows = {row["service"]: row for row in deck.json("status")["services"]}
    train = rows.pop("app-ml-train")
    assert (train["exit_code"], train["well"]) == (0, True)
    assert all(row["well"] for row in rows.values()), rows
    assert deck.json("doctor") == []


def test_nothing_listens_on_another_address_than_this_machines_own(deck: Deck) -> None:
    found = listening(deck)
    assert found and found <= {"127.0.0.1", "::1"}


def test_predictions_arrive_and_the_page_answers(deck: Deck) -> None:
    page = address(deck, "app-ui")
    with urllib.request.urlopen(page, timeout=30) as answer:
        assert answer.status == 200
    until("predictions arrive", lambda: asked(f"{page}/health")["predictions"] > 2)
    assert asked(f"{page}/health")["model"] == "1"
    job = deck.run("submit", "report")
    assert "points" in job.stdout


def test_down_leaves_no_process_and_cleanup_no_environment(deck: Deck) -> None:
    deck.run("down", "--yes")
    assert ours(deck) == []
    cache = Path(deck.folder.parent / "cache" / "sparkdeck")
    assert len([*cache.glob("environments/*/made.json")]) == 2, "kept; all of the application's services share one"
    deck.run("cleanup", "--yes")
    assert [*cache.glob("*/*")] == []
