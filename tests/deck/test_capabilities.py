"""An engine that can only be looked at: what it has not is greyed, with the reason, and is never asked for."""

from __future__ import annotations

import pytest

from tests.deck.harness import deck_on, scripted
from tests.scripted_engine import ScriptedEngine
from tui.deck.actions import NEEDS, Keymap
from tui.deck.screens.palette import Palette
from tui.deck.widgets.bars import Footer
from tui.engine.interface import Capability

WHY = "this cluster is only watched"


@pytest.fixture
def watched() -> ScriptedEngine:
    """Everything is up, nothing can be changed."""
    engine = scripted()
    engine.lacking = dict.fromkeys(Capability, WHY)
    return engine


def test_every_action_that_changes_the_stack_says_what_it_needs_of_an_engine() -> None:
    changing = {action.id for action in Keymap().actions if action.changes}
    assert changing == set(NEEDS) - {"merged", "export"}


async def test_a_key_of_what_the_engine_has_not_says_why(watched: ScriptedEngine) -> None:
    async with deck_on(watched) as deck:
        await deck.press("3")
        for key in ("u", "s", "r", "R", "+", "-", "e", "E", "J", "U", "D", "L"):
            await deck.press(key)
        assert len(deck.messages) == 12 and all(WHY in message for message in deck.messages)
        assert deck.messages[0] == f"start: {WHY}"
        assert deck.text().count("healthy") > 3, "what is there is shown"


async def test_palette_help_and_footer_show_it_greyed(watched: ScriptedEngine) -> None:
    async with deck_on(watched) as deck:
        footer = deck.app.screen.query_one(Footer)
        styles = {segment.text.strip(): segment.style for segment in footer.build(160, 1)[0]}
        assert styles["restart"] == footer.palette.dim != styles["quit"]
        await deck.press(":")
        await deck.until(lambda: isinstance(deck.app.screen, Palette))
        await deck.press(*"restart")
        await deck.until_seen(WHY)
        await deck.press("enter")
        await deck.until(lambda: any(WHY in message for message in deck.messages))
        await deck.press("?")
        await deck.until_seen(f"start          {WHY}")


async def test_panes_say_why_there_is_no_log_and_nothing_is_asked_again(watched: ScriptedEngine) -> None:
    async with deck_on(watched) as deck:
        await deck.until_seen(WHY)
        panes = len(deck.app.desk.shown())
        await deck.pilot.pause(1)
        assert watched.calls["logs"] == watched.calls["stats"] == panes
