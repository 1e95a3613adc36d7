"""Verbs on an engine that has not what they need: exit code 2 and the reason, and nothing was done."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner, Result

from tests.deck.fakes import layout_stack
from tests.deck.harness import scripted
from tests.scripted_engine import ScriptedEngine
from tui.cli import session
from tui.cli.main import app
from tui.engine.interface import Capability, Engine

WHY = "this cluster is only watched"


NEED_MORE = "up,setup,demo,stop,restart,down -y,scale 2,shell,spark-shell,submit,data,logs,cleanup,jobs a --cancel"


def run(words: str, monkeypatch: pytest.MonkeyPatch) -> tuple[Result, ScriptedEngine]:
    """A verb on an engine that can only be looked at."""
    engine = scripted()
    engine.lacking = dict.fromkeys(Capability, WHY)

    async def opened(*stack: object, **how: object) -> Engine:
        return engine

    monkeypatch.setattr(session, "open_engine", opened)
    monkeypatch.setattr(session, "chosen_stack", lambda context: layout_stack())
    return CliRunner().invoke(app, words.split()), engine


@pytest.mark.parametrize("words", NEED_MORE.split(","))
def test_a_verb_without_what_it_needs_ends_with_2_and_the_reason(words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    result, engine = run(words, monkeypatch)
    assert result.exit_code == 2 and WHY in result.stderr and "not possible here" in result.stderr
    assert engine.actions == [] and engine.closed


@pytest.mark.parametrize("words", ["status", "open", "jobs", "doctor"])
def test_what_only_looks_works(words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    result, _ = run(words, monkeypatch)
    assert result.exit_code in (0, 1) and WHY not in result.output, result.output
