"""Every key does what the table says, seen from the screen and from the engine."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path

import pytest
from textual.widgets import Input

from tests.deck.fakes import SERVICES
from tests.deck.harness import Deck, deck_on, scripted
from tui.deck.actions import ACTIONS
from tui.deck.app import DeckApp
from tui.deck.handlers.registry import registered
from tui.deck.screens.commands import CommandsScreen
from tui.deck.screens.dialogs import Ask, AskText, Menu
from tui.deck.screens.help import HelpScreen
from tui.deck.screens.inspect import MASK, InspectScreen
from tui.deck.screens.log import LogScreen
from tui.deck.screens.merged import MergedScreen
from tui.deck.screens.palette import Palette
from tui.deck.screens.panes import PanesScreen
from tui.deck.screens.submit import SubmitScreen
from tui.deck.screens.zoom import ZoomScreen
from tui.deck.theme import LIGHT
from tui.deck.widgets.log import LogView
from tui.engine.interface import Removable, State


def view(deck: Deck) -> LogView:
    """The log on the screen."""
    assert isinstance(deck.app.screen, LogScreen)
    return deck.app.screen.view


def test_every_action_is_handled() -> None:
    assert registered() == {action.id for action in ACTIONS}


async def test_moving_between_panes() -> None:
    async with deck_on(scripted()) as deck:
        app = deck.app
        keys = [pane.key for pane in app.desk.shown()]
        assert app.focused_key == keys[0]
        seen = []
        for key in ("right", "down", "left", "up", "l", "j", "h", "k", "tab", "shift+tab", "4", "G", "g"):
            await deck.press(key)
            seen.append(keys.index(app.focused_key))
        assert seen == [1, 3, 2, 0, 1, 3, 2, 0, 1, 0, 3, 7, 0]


async def test_zoom_and_back() -> None:
    engine = scripted()
    async with deck_on(engine) as deck:
        await deck.press("2", "enter")
        assert isinstance(deck.app.screen, ZoomScreen)
        engine.write((await engine.replicas())[5], "hello from worker 1")
        worker = next(item for item in await engine.replicas() if item.service == "spark-worker-1")
        engine.write(worker, "here I am")
        await deck.until_seen("here I am")
        await deck.press("3")
        assert deck.app.screen.pane.name == "spark-worker-2"
        await deck.press("tab")
        assert deck.app.screen.pane.name == "spark-worker-3"
        await deck.press("escape")
        assert isinstance(deck.app.screen, PanesScreen)
        assert deck.app.focused_pane is not None and deck.app.focused_pane.name == "spark-worker-3"


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


async def test_inspect_masks_secrets_until_asked() -> None:
    engine = scripted()
    async with deck_on(engine) as deck:
        await deck.press("2", "i")
        await deck.until(lambda: isinstance(deck.app.screen, InspectScreen))
        await deck.until_seen(MASK)
        assert "hunter2" not in deck.text()
        await deck.press("V")
        await deck.until_seen("hunter2")
        await deck.press("escape")
        assert isinstance(deck.app.screen, PanesScreen)


async def test_log_keys() -> None:
    engine = scripted()
    master = next(item for item in await engine.replicas() if item.service == "spark-master")
    engine.write(master, *(f"26/11/21 11:58:05 INFO X: line {number}" for number in range(100)))
    engine.write(master, "26/11/21 11:58:06 ERROR X: it broke", "java.lang.Error: no", "\tat a.B.c(B.java:1)")
    engine.write(master, "26/11/21 11:58:07 WARN X: careful", "x" * 400)
    async with deck_on(engine) as deck:
        await deck.press("enter")
        await deck.until_seen("careful")
        assert "a.B.c" not in deck.text() and "2 lines of trace" in deck.text()
        await deck.press("k")
        assert not view(deck).follow
        await deck.press("k", "enter")
        await deck.until_seen("a.B.c")
        await deck.press("enter", "G")
        assert view(deck).follow
        await deck.press("slash", *"line 4", "enter")
        assert view(deck).cursor_text().endswith("line 49")
        await deck.press("n")
        assert view(deck).cursor_text().endswith("line 48")
        await deck.press("N")
        assert view(deck).cursor_text().endswith("line 49")
        await deck.press("space", "g", "right_square_bracket")
        assert view(deck).cursor_text().endswith("line 49")
        await deck.press("g")
        assert view(deck).cursor == 0
        await deck.press("ampersand", *"!line", "enter", "G")
        await deck.until(lambda: "line 99" not in deck.text() and "it broke" in deck.text())
        await deck.press("escape", "escape", "v")
        await deck.until(lambda: view(deck).model.level == "warn")
        assert [code // 256 for code in view(deck).model.index] == [100, 103]
        await deck.press("v")
        assert [code // 256 for code in view(deck).model.index] == [100]
        await deck.press("v", "z", "G")
        await deck.until_seen("a.B.c")
        await deck.press("w")
        assert "x" * 300 not in deck.text()
        assert sum(line.count("x") for line in deck.text().splitlines()) >= 400
        await deck.press("w", "t")
        assert view(deck).timestamps
        await deck.press("f")
        assert not view(deck).follow
        await deck.press("f")
        assert view(deck).follow


async def test_export(tmp_path: Path) -> None:
    engine = scripted()
    master = next(item for item in await engine.replicas() if item.service == "spark-master")
    engine.write(master, *(f"line {number}" for number in range(30)), "\x1b[31mred\x1b[0m")
    async with deck_on(engine) as deck:
        for number, (choice, filter_text) in enumerate([([], "line 1"), (["down"], "")]):
            await deck.press("enter")
            await deck.until_seen("line 29")
            if filter_text:
                await deck.press("ampersand", *filter_text, "enter")
            await deck.press("W", *choice, "enter")
            await deck.until(lambda: isinstance(deck.app.screen, AskText))
            file = tmp_path / f"{number}.log"
            deck.app.screen.query_one(Input).value = str(file)
            await deck.press("enter")
            await deck.until(file.exists)
            await deck.press("escape", "escape")
        assert (tmp_path / "0.log").read_text().splitlines() == ["line 1", *(f"line 1{n}" for n in range(10))]
        assert (tmp_path / "1.log").read_text().splitlines() == [*(f"line {n}" for n in range(30)), "red"]


async def test_merged_logs_are_in_the_order_of_time() -> None:
    engine = scripted()
    replicas = {item.service: item for item in await engine.replicas()}
    for number in range(6):
        engine.write(replicas["mlflow" if number % 2 else "jupyter"], f"number {number}")
    engine.write(replicas["spark-master"], "not chosen")
    async with deck_on(engine) as deck:
        await deck.press("7", "space", "8", "space", "L")
        assert isinstance(deck.app.screen, MergedScreen)
        await deck.until_seen("number 5")
        lines = [line for line in deck.text().splitlines() if "number " in line]
        assert [line.split()[-1] for line in lines] == [str(n) for n in range(6)]
        assert "mlflow" in lines[1] and "jupyter" in lines[0]
        assert "not chosen" not in deck.text()


async def test_table_sorts_and_filters() -> None:
    engine = scripted()
    replicas = {item.service: item for item in await engine.replicas()}
    engine.sample(replicas["mlflow"], cpu_percent=90.0, memory=10)
    engine.sample(replicas["jupyter"], cpu_percent=5.0, memory=99)
    async with deck_on(engine) as deck:
        await deck.press("T")
        await deck.until_seen("cpu history")
        screen = deck.app.screen
        assert isinstance(screen, PanesScreen)
        table = screen.table
        await deck.until(lambda: table.keys == [f"{name}/1" for name in SERVICES])
        for _ in range(4):
            await deck.press("greater_than_sign")
        await deck.until(lambda: table.keys[:2] == ["mlflow/1", "jupyter/1"], "sorted by cpu")
        await deck.press("less_than_sign", "slash", *"worker", "enter")
        assert len(table.keys) == 4
        await deck.press("escape", "T")
        assert not screen.showing_table


async def test_help_palette_commands_theme() -> None:
    async with deck_on(scripted()) as deck:
        await deck.press("question_mark")
        assert isinstance(deck.app.screen, HelpScreen)
        await deck.until_seen("Submit a job")
        await deck.press("escape", "colon")
        assert isinstance(deck.app.screen, Palette)
        await deck.press(*"theme", "enter")
        await deck.until(lambda: deck.app.theme == LIGHT)
        await deck.press("ctrl+p")
        assert isinstance(deck.app.screen, Palette)
        await deck.press("escape", "r")
        await deck.until(lambda: bool(deck.did("restart")))
        await deck.press("c")
        assert isinstance(deck.app.screen, CommandsScreen)
        await deck.until_seen("restart spark-master")
        await deck.press("escape")


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


async def test_copy_and_open(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "TMUX"):
        monkeypatch.delenv(name, raising=False)
    engine = scripted()
    master = next(item for item in await engine.replicas() if item.service == "spark-master")
    engine.write(master, "copy me")
    async with deck_on(engine) as deck:
        await deck.press("o")
        await deck.until(lambda: any("has no page now" in text for text in deck.messages))
        await deck.press("y", "enter")
        await deck.until(lambda: deck.app.clipboard == "spark-master")
        await deck.press("enter")
        await deck.until_seen("copy me")
        await deck.press("y")
        await deck.until(lambda: deck.app.clipboard == "copy me")


async def test_shell_gives_the_terminal_away_and_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(DeckApp, "suspend", lambda self: nullcontext())
    engine = scripted()
    engine.shell = ["sh", "-c", "exit 7"]
    async with deck_on(engine) as deck:
        await deck.press("3", "e")
        await deck.until(lambda: deck.did("shell_command") == [("spark-worker-2", (), {})])
        await deck.until(lambda: any("exit code 7" in text for text in deck.messages))
        await deck.press("E")
        await deck.until(lambda: isinstance(deck.app.screen, Menu))
        await deck.press("down", "enter")
        await deck.until(lambda: deck.did("shell_command")[-1] == ("spark-submit", ("pyspark",), {}))


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


async def test_mouse() -> None:
    engine = scripted()
    master = next(item for item in await engine.replicas() if item.service == "spark-master")
    engine.write(master, *(f"line {number}" for number in range(200)))
    async with deck_on(engine) as deck:
        await deck.pilot.click(offset=(100, 20))
        assert deck.app.focused_pane is not None and deck.app.focused_pane.name == "spark-worker-3"
        await deck.pilot.click(offset=(5, 4), times=2)
        await deck.until(lambda: isinstance(deck.app.screen, ZoomScreen))
        assert deck.app.focused_pane.name == "spark-master"
        await deck.until_seen("line 199")
        await deck.pilot.click(offset=(20, 30))
        await deck.until_seen("paused")
        # The key's name in the footer is the key.
        row = deck.text().splitlines()[-1]
        await deck.pilot.click(offset=(row.index("follow"), 47))
        await deck.until_seen("following")
        await deck.pilot.click(offset=(row.index("back"), 47))
        await deck.until(lambda: isinstance(deck.app.screen, PanesScreen))
