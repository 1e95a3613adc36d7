"""What handlers and screens may ask of the deck, and nothing beyond: the app implements it."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any, Protocol, TypeVar, cast

from textual.app import App
from textual.screen import ModalScreen, Screen

from tui.deck.actions import Keymap
from tui.deck.commands import Runner
from tui.deck.desk import Desk
from tui.watch.live import Pane

T = TypeVar("T")


class Deck(Protocol):
    """The running deck."""

    desk: Desk
    runner: Runner
    keymap: Keymap
    read_only: bool
    focused_key: str
    marked: dict[str, None]

    # what keys work on

    @property
    def screen(self) -> Screen[Any]:
        """The top screen or dialog."""

    @property
    def scope(self) -> str:
        """Which keys are valid: the scope of the top screen or dialog."""

    @property
    def focused_pane(self) -> Pane | None:
        """The pane that keys work on."""

    def chosen_panes(self) -> list[Pane]:
        """The marked panes, else the focused one."""

    # what is shown

    def say(self, text: str, *, severity: str = "information", title: str = "") -> None:
        """A message that goes away by itself. Nothing in it is markup."""

    async def ask(self, dialog: ModalScreen[T | None]) -> T | None:
        """Shows a dialog and waits for its answer; None if it was left."""

    def show(self, screen: Screen[Any]) -> None:
        """Puts a screen on top; nobody waits for its end."""

    def leave_screen(self) -> None:
        """Takes the top screen away; the first one stays."""

    def tick(self, *, slow: bool) -> None:
        """Redraws what has changed."""

    def toggle_theme(self) -> None:
        """Dark or light."""

    # what is done

    def perform(self, action_id: str, key: str) -> None:
        """Does an action of the table; what it raises becomes a message."""

    def copy_selection(self) -> None:
        """Ctrl+C is `copy` where something is selected. Raises SkipAction where nothing is."""

    def copy_to_clipboard(self, text: str) -> None:
        """Hands a text to the terminal's clipboard."""

    def lent(self) -> AbstractContextManager[None]:
        """The terminal is somebody else's within. Raises SuspendNotSupported where it cannot be lent."""

    def exit(self) -> None:
        """Ends the deck; the stack goes on."""


def deck_of(app: App[Any]) -> Deck:
    """The deck that a screen's app is."""
    return cast("Deck", app)
