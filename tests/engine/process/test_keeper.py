"""What a keeper says of its replica's health, by a clock of the test's own: two real minutes are too long."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest

from tui.engine.process import keeper
from tui.engine.process.keeper import Keeper


class Looks(threading.Event):
    """What the keeper waits on between two looks: it passes at once, and time with it. Over after `seconds`."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.now = 0.0
        self.seconds = seconds

    def wait(self, timeout: float | None = None) -> bool:
        self.now += timeout or 0.0
        if self.now > self.seconds:
            self.set()
        return self.is_set()


def healths(monkeypatch: pytest.MonkeyPatch, folder: Path, well_from: float) -> list[tuple[float, str]]:
    """When the keeper said what of a service that may take a minute to start and answers from this second on."""
    own = folder / "replicas" / "web-1"
    own.mkdir(parents=True)
    ready = {"start": 60.0, "interval": 5.0, "retries": 12}
    (own / "spec.json").write_text(json.dumps({"id": "web-1", "service": "web", "grace": 1.0, "ready": ready}))
    looks, said = Looks(600), list[tuple[float, str]]()
    monkeypatch.setattr(keeper, "check", lambda ready: (looks.now >= well_from, ""))
    monkeypatch.setattr("tui.engine.process.keeper.time.monotonic", lambda: looks.now)
    web: Any = Keeper(own)
    web.state["health"] = "starting"
    web.tell = lambda kind, detail: said.append((looks.now, detail))
    web._watch_health(looks)
    return said


def test_failures_during_the_start_are_not_counted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert healths(monkeypatch, tmp_path, well_from=110) == [(110.0, "healthy")]


def test_a_service_that_never_answers_is_unhealthy_after_its_tries(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Docker too: a minute to start, then twelve looks five seconds apart."""
    assert healths(monkeypatch, tmp_path, well_from=10_000) == [(115.0, "unhealthy")]
