"""The keys of dialogs come from the table of actions: what is bound, what is told in their frames, the user's own."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path

import pytest
from textual.binding import Binding

from tests.deck.harness import deck_on, scripted
from tui.deck import actions
from tui.deck.actions import ACTIONS, EVERYWHERE
from tui.deck.screens.dialogs import Dialog
from tui.deck.screens.help import HelpScreen
from tui.deck.screens.inspect import InspectScreen
from tui.deck.screens.panes import PanesScreen
from tui.deck.settings import Settings
from tui.stack.secrets import MASK

DECK = Path(actions.__file__).parent


def dialogs(of: type[Dialog[object]] = Dialog) -> list[type[Dialog[object]]]:
    found = [one for direct in of.__subclasses__() for one in (direct, *dialogs(direct))]
    return [one for one in found if one.scope]


def test_every_scope_of_the_table_is_a_dialog_that_does_its_actions() -> None:
    for file in (DECK / "screens").glob("*.py"):
        import_module(f"tui.deck.screens.{file.stem}")
    by_scope = {one.scope: one for one in dialogs()}
    assert set(by_scope) == {scope for action in ACTIONS for scope in action.scope} - set(EVERYWHERE)
    for action in ACTIONS:
        for scope in set(action.scope) - set(EVERYWHERE):
            bound = [one for one in by_scope[scope].BINDINGS if isinstance(one, Binding) and one.id == action.id]
            assert callable(getattr(by_scope[scope], f"action_{bound[0].action}")), (scope, action.id)


def test_no_screen_has_keys_of_its_own() -> None:
    files = [*(DECK / "screens").glob("*.py"), *(DECK / "widgets").glob("*.py")]
    own = [file.name for file in files if re.search(r"BINDINGS|def (on_)?_?key_?", file.read_text())]
    assert sorted(own) == ["base.py", "dialogs.py"]


async def test_the_users_own_key_works_in_a_dialog_and_is_told_there() -> None:
    async with deck_on(scripted(), settings=Settings(keys={"secrets": ("S",), "leave": ("f10",)})) as deck:
        await deck.press("2", "i")
        await deck.until_seen(MASK)
        await deck.until_seen("S shows or hides secrets, f10 closes")
        await deck.press("V")
        await deck.press("S")
        await deck.until_seen("hunter2")
        await deck.press("?")
        await deck.until(lambda: isinstance(deck.app.screen, HelpScreen), "the dialog's own help")
        await deck.until_seen("Show or hide secrets")
        assert "Submit a job" not in deck.text()
        await deck.press("?")
        assert isinstance(deck.app.screen, InspectScreen)
        await deck.press("f10")
        assert isinstance(deck.app.screen, PanesScreen)


@pytest.mark.parametrize("keys", [("c", "c"), ("c", "q"), ("i", "i"), ("!", "!"), ("?", "?"), (":", "escape")])
async def test_the_key_that_opens_a_dialog_closes_it(keys: tuple[str, str]) -> None:
    async with deck_on(scripted()) as deck:
        await deck.press("2", keys[0])
        assert isinstance(deck.app.screen, Dialog)
        await deck.press(keys[1])
        assert isinstance(deck.app.screen, PanesScreen)
