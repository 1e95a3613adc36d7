"""What goes wrong must be readable, must not take the deck down, and must pass when its cause does."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from tests.deck.fakes import layout_stack
from tests.deck.harness import Deck, deck_on, scripted
from tests.scripted_engine import ScriptedEngine
from tui.deck import usecases
from tui.deck.app import DeckApp
from tui.deck.commands import FAILED
from tui.deck.desk import Desk
from tui.deck.screens.log import LogScreen
from tui.deck.screens.panes import PanesScreen
from tui.deck.screens.zoom import ZoomScreen
from tui.deck.settings import Settings
from tui.engine import child
from tui.engine.interface import Engine, EngineError, EngineGone, Replica
from tui.stack.model import Stack

ROOT = Path(__file__).parents[2]


async def first(engine: ScriptedEngine, service: str = "spark-master") -> Replica:
    """A service's replica."""
    return next(item for item in await engine.replicas() if item.service == service)


def shown(deck: Deck) -> list[int]:
    """The numbers of the lines on the screen; at the right there may be a scroll bar."""
    return [int(found) for found in re.findall(r"^ *line (\d+)", deck.text(), re.MULTILINE)]


async def test_engine_that_answers_late() -> None:
    engine, answers = scripted(), asyncio.Event()
    tries = 0

    async def open_engine(stack: Stack) -> Engine:
        nonlocal tries
        tries += 1
        if tries == 1:
            raise EngineGone("Docker does not answer. [/red] Start it.")
        await answers.wait()
        return engine

    app = DeckApp(Desk(layout_stack(), open_engine), Settings(strict=True))
    async with app.run_test(size=(160, 48), notifications=True) as pilot:
        deck = Deck(app, pilot, engine)
        # The frame is there before any answer: the layout's services, of which nothing is known.
        await deck.until_seen("spark-worker-4")
        await deck.until_seen("Docker does not answer. [/red] Start it.")
        await deck.press("r", "U")
        assert any("not answered yet" in text for text in deck.messages)
        answers.set()
        await deck.until_seen("8 of 8 services well")


async def test_outage_and_return() -> None:
    engine = scripted()
    master = await first(engine)
    async with deck_on(engine) as deck:
        await deck.press("enter")
        engine.write(master, "before")
        await deck.until_seen("before")
        engine.gone("Cannot connect to Docker")
        await deck.until_seen("engine gone since")
        await deck.until_seen("Cannot connect to Docker")
        await deck.press("escape", "r")
        await deck.until(lambda: any(command.state == FAILED for command in deck.app.runner.commands))
        assert isinstance(deck.app.screen, PanesScreen)
        engine.back()
        engine.write(master, "after")
        await deck.until_seen("8 of 8 services well", 20)
        await deck.press("enter")
        await deck.until_seen("after", 20)
        assert sum(line.strip() == "before" for line in deck.text().splitlines()) == 1


async def test_everything_crashed() -> None:
    engine = scripted()
    async with deck_on(engine) as deck:
        for replica in await engine.replicas():
            engine.write(replica, "Error: out of luck")
            engine.finish(replica, 137, out_of_memory=True)
        await deck.until_seen("0 of 8 services well")
        assert deck.text().count("✗ ended") == 8
        assert "exit code 137, out of memory" in deck.text() and "out of luck" in deck.text()


async def test_a_command_that_fails_says_why() -> None:
    engine = scripted()
    engine.fail("restart", "no such image: [/bold] \x1b]52;c;aGk=\x07evil")
    async with deck_on(engine) as deck:
        await deck.press("r")
        await deck.until(lambda: any("no such image: [/bold] evil" in text for text in deck.messages))
        await deck.press("c")
        await deck.until_seen("no such image: [/bold] evil")


async def test_hostile_lines_and_names_are_harmless() -> None:
    engine = scripted()
    master = await first(engine)
    engine.write(
        master, "\x1b]52;c;aGk=\x07clip \x1b[2Jboard [/x] [@click=app.quit]press[/] \u202eabc", "\x1b[31mred\x1b[0m"
    )
    async with deck_on(engine) as deck:
        await deck.until_seen("board [/x] [@click=app.quit]press[/]")
        await deck.press("enter")
        await deck.until_seen("red")
        rows = deck.app.screen._compositor.render_strips()
        text = "".join(segment.text for row in rows for segment in row)
        assert "\x1b" not in text and "\u202e" not in text
        red = [s for row in rows for s in row if s.text.startswith("red") and s.style and s.style.color]
        # As Rich names it, or as Textual has made it.
        assert red and red[0].style is not None and red[0].style.color is not None
        assert "d8dde6" not in str(red[0].style.color)


async def test_a_restarted_service_goes_on_in_the_same_log() -> None:
    engine = scripted()
    worker = await first(engine, "spark-worker-1")
    async with deck_on(engine) as deck:
        await deck.press("2", "enter")
        engine.write(worker, "first life")
        await deck.until_seen("first life")
        replaced = engine.recreate(worker)
        engine.write(replaced, "second life")
        await deck.until_seen("second life")
        lines = [line.strip() for line in deck.text().splitlines()]
        assert lines.count("first life") == 1 and lines.count("second life") == 1
        between = lines[lines.index("first life") : lines.index("second life")]
        assert any("──" in line for line in between)


async def test_flood_reader_stays_where_he_reads() -> None:
    engine = scripted()
    master = await first(engine)
    engine.write(master, *(f"line {number}" for number in range(3000)))
    async with deck_on(engine) as deck:
        await deck.press("enter")
        await deck.until_seen("line 2999")
        screen = deck.app.screen
        assert isinstance(screen, LogScreen)
        await deck.press("pageup", "pageup")
        top = shown(deck)
        began, before = time.monotonic(), screen.view.model.source.total
        engine.write(master, *(f"line {number}" for number in range(3000, 23000)))
        await deck.until(lambda: screen.view.model.source.total == before + 20_000)
        await deck.pilot.pause(0.3)
        assert shown(deck) == top
        # What ran out of the ring is one row that says how much.
        await deck.press("pagedown", "pagedown", "pagedown")
        await deck.until_seen("lines skipped")
        model = screen.view.model
        gap = model.source.parts[0].stop - 1
        screen.view.go(model.place_of(gap))
        await deck.press("enter")
        await deck.until_seen("line 3001")
        await deck.press("G")
        await deck.until_seen("line 22999")
        assert time.monotonic() - began < 20


async def test_older_lines_load_at_the_top() -> None:
    engine = scripted()
    master = await first(engine)
    engine.write(master, *(f"line {number}" for number in range(9000)))
    async with deck_on(engine) as deck:
        await deck.press("enter")
        await deck.until_seen("line 8999")
        screen = deck.app.screen
        assert isinstance(screen, LogScreen)
        held = screen.view.model.source.first
        await deck.press("g", "g")
        await deck.until(lambda: screen.view.model.source.first < held, "older lines")
        numbers = shown(deck)
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))


async def test_a_run_is_followed_again_after_the_engine_was_away() -> None:
    engine = scripted()
    run = engine.add_run("spark-submit", "train-1", labels={"job": "train"})
    async with deck_on(engine) as deck:
        desk = deck.app.desk
        await deck.until(lambda: "train-1" in desk.runs)
        engine.gone()
        await deck.until(lambda: desk.outage)
        engine.back()
        await deck.until(lambda: not desk.outage)
        engine.finish(run, 3)
        await deck.until(lambda: desk.runs["train-1"].ended, "how it ended")
        assert desk.ready is not None
        (past,) = await usecases.runs(desk.ready, pytest.fail)
        assert past.verdict is not None and past.verdict.text == "Failed with exit code 3."
        assert not desk.supervisor.failures


async def test_a_folder_that_is_deleted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    monkeypatch.chdir(folder)
    async with deck_on(scripted(), stack=replace(layout_stack(), folder=folder, bundled=False)) as deck:
        folder.rmdir()
        await deck.press("r")
        await deck.until(lambda: deck.did("restart"))
        await deck.press("enter", "W", "enter")
        await deck.until_seen(str(Path.home()))
        await deck.press("escape", "escape")
        with pytest.raises(EngineError, match=f"{folder} was deleted"):
            await child.output(["true"], folder, {}, limit=10)
        # What a handler raises is a message, whatever it is.
        deck.app.settings = replace(deck.app.settings, strict=False)
        monkeypatch.setattr(usecases, "restart", lambda ready, chosen: 1 // 0)
        await deck.press("r")
        await deck.until(lambda: any("ZeroDivisionError" in text for text in deck.messages))


def _python(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, env=environment, cwd=ROOT)


def test_the_verbs_are_free_of_textual() -> None:
    code = "import sys, tui.cli.main; print(sorted(name for name in sys.modules if name.startswith('textual')))"
    assert _python("-c", code).stdout.strip() == "[]"


def test_without_a_terminal_the_deck_says_so() -> None:
    done = _python("-c", "from tui.cli.main import run; run()")
    assert done.returncode == 2 and "The deck needs a terminal" in done.stderr


@pytest.mark.parametrize("size", [(20, 5), (1, 1), (300, 100)])
async def test_any_size(size: tuple[int, int]) -> None:
    async with deck_on(scripted(), size=size) as deck:
        await deck.press("enter", "i", "escape", "escape", "T", "J", "escape")
        await deck.pilot.resize_terminal(120, 40)
        await deck.press("escape")
        await deck.until_seen("8 of 8 services well")


async def test_a_tick_while_a_screen_comes_or_goes() -> None:
    """Its widgets are not there yet, or no more: nothing fails, and nothing is said to have."""
    async with deck_on(scripted()) as deck:
        await deck.until_seen("spark-worker-4")
        app, pane = deck.app, deck.app.desk.shown()[0]
        app.push_screen(ZoomScreen(pane))
        app.tick(slow=True)
        await deck.pilot.pause()
        app.tick(slow=True)
        # As when the deck ends: its widgets go before it.
        gone = app.screen.remove()
        app.tick(slow=True)
        await gone
        app.tick(slow=True)


async def test_what_is_not_this_stacks_is_acted_on_only_after_a_clear_yes() -> None:
    engine = scripted()
    engine.add("mlflow", 7, folder="/elsewhere", files=("/elsewhere/compose.yaml",))
    async with deck_on(engine) as deck:
        await deck.until_seen("mlflow-7")
        await deck.press("U")
        await deck.until_seen("Act on what is not this stack's?")
        assert "/elsewhere/compose.yaml" in deck.text()
        await deck.press("n")
        await deck.pilot.pause()
        assert not engine.actions
        await deck.press("U")
        await deck.until_seen("Act on what is not this stack's?")
        await deck.press("y")
        await deck.until(lambda: [name for name, _ in engine.actions] == ["up"])
