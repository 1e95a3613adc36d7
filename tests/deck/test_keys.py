"""Keys that look, move and open: every key does what the table says, seen from the screen."""

from __future__ import annotations

import pytest

from tests.deck.fakes import SERVICES
from tests.deck.harness import deck_on, scripted
from tui.deck.actions import ACTIONS, EVERYWHERE
from tui.deck.handlers.every import HANDLERS
from tui.deck.screens.commands import CommandsScreen
from tui.deck.screens.help import HelpScreen
from tui.deck.screens.inspect import InspectScreen
from tui.deck.screens.palette import Palette
from tui.deck.screens.panes import PanesScreen
from tui.deck.screens.zoom import ZoomScreen
from tui.deck.theme import LIGHT
from tui.stack.secrets import MASK


def test_every_action_is_handled() -> None:
    assert set(HANDLERS) == {action.id for action in ACTIONS if set(action.scope) & set(EVERYWHERE)}


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
