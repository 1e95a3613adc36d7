"""Keys that change something: what the engine is asked for, and what is asked before."""

from __future__ import annotations

import signal
from contextlib import nullcontext

import pytest
from textual.widgets import Input

from tests.deck.harness import deck_on, scripted
from tui.deck.app import DeckApp
from tui.deck.commands import DONE
from tui.deck.screens.dialogs import Ask, Menu
from tui.deck.screens.panes import PanesScreen
from tui.deck.screens.submit import SubmitScreen
from tui.engine.interface import Removable, State


async def test_start_stop_restart_the_focused_service() -> None:
    engine = scripted()
    async with deck_on(engine) as deck:
        await deck.press("3", "r")
        await deck.until(lambda: deck.did("restart") == [(("spark-worker-2",),)])
        await deck.press("s")
        await deck.until(lambda: isinstance(deck.app.screen, Ask))
        assert "sparkdeck --stack flight-delay stop spark-worker-2" in deck.text()
        await deck.press("n")
        assert not deck.did("stop")
        await deck.press("s", "y")
        await deck.until(lambda: deck.did("stop") == [(("spark-worker-2",),)])
        await deck.until_seen("✗ ended")
        await deck.press("u")
        await deck.until(lambda: deck.did("up") == [(("spark-worker-2",), False)])


async def test_enter_does_not_confirm_by_accident() -> None:
    async with deck_on(scripted()) as deck:
        await deck.press("D")
        await deck.until(lambda: isinstance(deck.app.screen, Ask))
        await deck.press("enter")
        await deck.until(lambda: isinstance(deck.app.screen, PanesScreen))
        assert not deck.did("down")


async def test_marked_panes_are_restarted_together() -> None:
    async with deck_on(scripted()) as deck:
        await deck.press("2", "space", "4", "space", "8", "r")
        await deck.until(lambda: deck.did("restart") == [(("spark-worker-1", "spark-worker-3"),)])
        await deck.press("escape")
        assert not deck.app.marked


async def test_restart_menu_shows_commands_and_restarts_all_workers() -> None:
    async with deck_on(scripted()) as deck:
        await deck.press("R")
        await deck.until(lambda: isinstance(deck.app.screen, Menu))
        workers = [f"spark-worker-{number}" for number in range(1, 5)]
        assert "restart spark-worker-1 spark-worker-2" in deck.text()
        await deck.press("down", "enter")
        await deck.until(lambda: deck.did("restart") == [(tuple(workers),)])


@pytest.mark.parametrize(("downs", "action"), [(3, "up"), (4, "build")])
async def test_recreate_and_rebuild(downs: int, action: str) -> None:
    async with deck_on(scripted()) as deck:
        await deck.press("2", "R")
        await deck.until(lambda: isinstance(deck.app.screen, Menu))
        await deck.press(*["down"] * downs, "enter")
        await deck.until(lambda: bool(deck.did(action)))
        await deck.until(lambda: deck.did("up") == [(("spark-worker-1",), True)])


async def test_stack_up_and_down() -> None:
    async with deck_on(scripted()) as deck:
        await deck.press("U")
        await deck.until(lambda: deck.did("up") == [((), False)])
        await deck.press("D", "y")
        await deck.until(lambda: bool(deck.did("down")))
        await deck.until_seen("○ down")


async def test_scaling_asks_before_a_worker_goes() -> None:
    async with deck_on(scripted()) as deck:
        await deck.press("plus")
        await deck.until(lambda: deck.did("scale") == [("spark-worker-extra", 1)])
        await deck.until_seen("spark-worker-extra-1")
        for command in deck.app.runner.running:
            deck.app.runner.stop(command)
        await deck.until(lambda: not deck.app.runner.running)
        await deck.press("minus")
        await deck.until(lambda: isinstance(deck.app.screen, Ask))
        assert "scale 4" in deck.text()
        await deck.press("escape")
        assert not deck.did("signal")


async def test_submit_follow_cancel() -> None:
    engine = scripted()
    async with deck_on(engine) as deck:
        await deck.press("J")
        await deck.until(lambda: isinstance(deck.app.screen, SubmitScreen))
        await deck.until_seen("submit flight-delay")
        deck.app.screen.query_one("#tasks", Input).value = "load"
        deck.app.screen.query_one("#executor_memory", Input).value = "512m"
        await deck.until_seen("--env TASKS=load")
        await deck.press("ctrl+s")
        await deck.until(lambda: isinstance(deck.app.screen, PanesScreen))
        await deck.until(lambda: bool(deck.did("start_run")))
        request = deck.did("start_run")[0][0]
        assert request.env["TASKS"] == "load" and "spark.executor.memory=512m" in request.command
        run = next(item for item in await engine.replicas() if item.is_run)
        await deck.until_seen(run.labels["run"])
        await deck.until_seen("the driver starts")
        engine.write(run, "the driver speaks")
        await deck.until_seen("the driver speaks")
        engine.finish(run, 0)
        await deck.until_seen("✓ done")
        # The same again, from the history.
        await deck.press("J")
        await deck.until_seen(run.labels["run"])
        deck.app.screen.query_one("OptionList").focus()
        await deck.press("down", "enter")
        await deck.until(lambda: deck.app.screen.query_one("#executor_memory", Input).value == "512m")
        await deck.press("escape")


async def test_cancel_a_run() -> None:
    engine = scripted()
    engine.add_run("spark-submit", "flight-delay-abc123", labels={"job": "flight-delay"})
    async with deck_on(engine) as deck:
        await deck.until_seen("flight-delay-abc123")
        await deck.press("9", "x")
        await deck.until(lambda: isinstance(deck.app.screen, Ask))
        assert "jobs flight-delay-abc123 --cancel" in deck.text()
        await deck.press("y")
        await deck.until(lambda: deck.did("end") == [("flight-delay-abc123",)])
        await deck.until_seen("143")
        await deck.press("1", "x")
        await deck.until(lambda: any("stopped with s" in text for text in deck.messages))


async def test_cleanup_lists_first() -> None:
    engine = scripted()
    engine.garbage.append(Removable("image", "i", "flight-delay-spark:3.5.9", 1_500_000_000))
    async with deck_on(engine) as deck:
        await deck.press("colon", *"clean up", "enter")
        await deck.until_seen("1.4 GiB")
        await deck.press("enter")
        assert not deck.did("remove_all")
        await deck.press("colon", *"clean up", "enter")
        await deck.until_seen("1.4 GiB")
        await deck.pilot.click("#remove")
        await deck.until(lambda: bool(deck.did("remove_all")))


async def test_shell_gives_the_terminal_away_and_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(DeckApp, "suspend", lambda self: nullcontext())
    engine = scripted()
    engine.shell = ["sh", "-c", "exit 7"]
    async with deck_on(engine) as deck:
        await deck.press("3", "e")
        (worker,) = [one for one in await engine.replicas() if one.service == "spark-worker-2"]
        await deck.until(lambda: deck.did("shell_command") == [("spark-worker-2", (), {}, worker.id)])
        await deck.until(lambda: any("exit code 7" in text for text in deck.messages))
        await deck.press("E")
        await deck.until(lambda: isinstance(deck.app.screen, Menu))
        await deck.press("down", "enter")
        await deck.until(lambda: deck.did("shell_command")[-1] == ("spark-submit", ("pyspark",), {}, None))


async def test_read_only_has_nothing_that_changes() -> None:
    engine = scripted()
    async with deck_on(engine, read_only=True) as deck:
        for key in ("r", "s", "u", "U", "D", "plus", "minus", "J", "x", "R", "e", "E"):
            await deck.press(key)
        assert isinstance(deck.app.screen, PanesScreen)
        assert not [name for name, _ in engine.actions if name != "execute"]
        assert "restart" not in deck.text() and "read only" in deck.text()
        await deck.press("colon")
        assert "clean up" not in deck.text()


async def test_quit_leaves_the_stack() -> None:
    engine = scripted()
    async with deck_on(engine) as deck:
        await deck.press("q")
        await deck.until(lambda: not deck.app.is_running)
    assert engine.closed and not [name for name, _ in engine.actions if name != "execute"]
    replicas = engine._containers.values()
    assert all(item.replica.state is State.RUNNING for item in replicas)


async def test_quit_asks_about_what_runs() -> None:
    engine = scripted()
    async with deck_on(engine) as deck:
        engine.hold("up")
        await deck.press("U", "q")
        await deck.until_seen("Not done yet: Start flight-delay")
        await deck.press("escape")
        await deck.press("q", "enter")
        # It can be thought better of as long as it runs.
        await deck.press("q", "escape")
        assert not deck.app.runner.leaving
        await deck.press("q", "enter")
        assert deck.app.is_running and deck.app.runner.running
        engine.release("up")
        await deck.until(lambda: not deck.app.is_running)
    assert deck.app.runner.commands[-1].state == DONE and not deck.app.cut


async def test_leaving_says_what_was_cut_off() -> None:
    engine = scripted()
    async with deck_on(engine) as deck:
        engine.hold("up")
        await deck.press("U", "q")
        await deck.until_seen("Not done yet")
        await deck.press("down", "enter")
        await deck.until(lambda: not deck.app.is_running)
    assert [command.title for command in deck.app.cut] == ["Start flight-delay"]


async def test_one_that_fails_keeps_the_deck() -> None:
    engine = scripted()
    async with deck_on(engine) as deck:
        engine.hold("up")
        engine.fail("up", "no space left")
        await deck.press("U", "q", "enter")
        engine.release("up")
        await deck.until_seen("no space left")
        assert deck.app.is_running and not deck.app.runner.leaving


async def test_where_nobody_can_be_asked_it_is_finished() -> None:
    engine = scripted()
    async with deck_on(engine) as deck:
        engine.hold("up")
        await deck.press("U")
        await deck.until(lambda: deck.app.runner.running)
        deck.app.exit(return_code=128 + signal.SIGHUP)
        await deck.until(lambda: not deck.app.is_running)
        engine.release("up")
    assert deck.app.runner.commands[-1].state == DONE
