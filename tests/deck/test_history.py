"""Runs that `down` has taken along: offered again by the form, removed by a cleanup that names them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from textual.widgets import Input

from tests.deck.fakes import layout_stack
from tests.deck.harness import deck_on, scripted
from tests.scripted_engine import ScriptedEngine
from tui.actions.down import down
from tui.deck.screens.submit import SubmitScreen
from tui.engine.interface import drain
from tui.jobs.journal import journal_file, write_down
from tui.jobs.submit import find_runs
from tui.jobs.verdict import verdict


async def forgotten() -> ScriptedEngine:
    """An engine whose only run went with its stack; the stack is up again."""
    engine = scripted()
    run = engine.add_run(
        "spark-submit",
        "flight-delay-abc123",
        labels={
            "job": "flight-delay",
            "args": '["--rows", "5"]',
            "env": '{"TASKS": "load"}',
            "conf": '{"spark.cores.max": "2"}',
        },
        command=("spark-submit", "--conf", "spark.cores.max=2", "/apps/x.py", "--rows", "5"),
    )
    engine.finish(run, 3)
    project = await engine.project()
    await drain(down(engine, layout_stack(), project))
    await drain(engine.up())
    engine.actions.clear()
    return engine


async def test_a_run_of_a_stack_that_was_down_is_submitted_again() -> None:
    async with deck_on(await forgotten()) as deck:
        await deck.press("J")
        await deck.until(lambda: isinstance(deck.app.screen, SubmitScreen))
        await deck.until_seen("✗ flight-delay-abc123")
        assert any("flight-delay-abc123" in row and "no log" in row for row in deck.text().splitlines())
        deck.app.screen.query_one("OptionList").focus()
        await deck.press("down", "enter")
        fields = {"args": "--rows 5", "tasks": "load", "cores": "2"}
        await deck.until(
            lambda: {name: deck.app.screen.query_one(f"#{name}", Input).value for name in fields} == fields
        )
        await deck.press("ctrl+s")
        await deck.until(lambda: bool(deck.did("start_run")))
        request = deck.did("start_run")[0][0]
        assert request.env["TASKS"] == "load" and "spark.cores.max=2" in request.command
        assert tuple(request.arguments) == ("--rows", "5")


async def test_a_run_that_ends_while_the_deck_looks_is_written_down() -> None:
    engine = scripted()
    stack = layout_stack()
    run = engine.add_run("spark-submit", "flight-delay-def456", labels={"job": "flight-delay"})
    async with deck_on(engine) as deck:
        await deck.until_seen("flight-delay-def456")
        engine.finish(run, 137, out_of_memory=True)
        await deck.until(lambda: (view := deck.app.desk.runs.get(run.id)) and view.ended)
    assert "flight-delay-def456" in journal_file(stack).read_text()


async def test_a_history_that_cannot_be_kept_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    engine = scripted()
    run = engine.add_run("spark-submit", "flight-delay-def456", labels={"job": "flight-delay"})
    async with deck_on(engine) as deck:
        await deck.until_seen("flight-delay-def456")
        folder = journal_file(layout_stack()).parent
        folder.parent.mkdir()
        folder.write_text("a file where a folder should be")
        engine.finish(run, 0)
        await deck.until(lambda: any("history of runs is not kept" in one.what for one in deck.app.desk.findings()))
        await deck.press("J")
        await deck.until_seen("The history of runs is not kept")


async def test_a_run_is_followed_after_the_engine_was_away() -> None:
    engine = scripted()
    stack = layout_stack()
    run = engine.add_run("spark-submit", "flight-delay-away12", labels={"job": "flight-delay"})
    async with deck_on(engine) as deck:
        await deck.until_seen("flight-delay-away12")
        engine.gone()
        await deck.until(lambda: deck.app.desk.outage is not None)
        engine.back()
        await deck.until(lambda: deck.app.desk.outage is None)
        engine.finish(run, 137)
        await deck.until(lambda: (view := deck.app.desk.runs.get(run.id)) and view.ended)
    assert "flight-delay-away12" in journal_file(stack).read_text()


async def test_cleanup_names_the_history_and_removes_it() -> None:
    engine = scripted()
    stack = layout_stack()
    engine.finish(engine.add_run("spark-submit", "flight-delay-ghi789"), 0)
    (run,) = await find_runs(engine)
    await write_down(stack, replace(run, verdict=verdict(0)))
    file = journal_file(stack)
    async with deck_on(engine) as deck:
        await deck.press("colon", *"clean up", "enter")
        await deck.until_seen("history")
        await deck.pilot.click("#remove")
        await deck.until(lambda: bool(deck.did("remove_all")))
        await deck.until(lambda: not deck.app.runner.running)
        assert not file.exists()
