"""What every full screen of the deck has: header, footer, keys from the table, a tick."""

from __future__ import annotations

from textual import events
from textual.screen import Screen
from textual.widgets import Input

from tui.deck.port import Deck, deck_of
from tui.deck.widgets.bars import Footer, Header


def key_of(event: events.Key) -> str:
    """A key as the action table writes it: the character itself where it prints."""
    if event.character and event.is_printable and event.character != " ":
        return event.character
    return event.key


class DeckScreen(Screen[None]):
    """A screen whose keys are actions of one scope."""

    scope = ""
    fast = False
    """Whether the tick is 10 Hz (somebody reads a log here) and not 4 Hz."""

    AUTO_FOCUS = None
    # Known by name: a query would walk through every pane on each tick.
    _bars: tuple[Header | Footer, ...] = ()

    @property
    def deck(self) -> Deck:
        """The app."""
        return deck_of(self.app)

    def bars(self) -> tuple[Header, Footer]:
        """New header and footer for `compose`."""
        deck = self.deck
        header, footer = Header(deck.desk, read_only=deck.read_only), Footer(deck.keymap, deck.runner, self.scope)
        self._bars = (header, footer)
        return header, footer

    @property
    def is_drawn(self) -> bool:
        """Whether its widgets are there: not so before it is composed, nor while it is taken away."""
        return self.is_mounted and bool(self._bars) and self._bars[0].is_attached

    def on_key(self, event: events.Key) -> None:
        """A key is an action of the table, or nothing."""
        key = key_of(event)
        if isinstance(self.focused, Input) and key != "escape":
            return
        action = self.deck.keymap.find(self.scope, key)
        if action is not None:
            event.stop()
            event.prevent_default()
            self.deck.perform(action.id, key)

    def action_copy_text(self) -> None:
        """Ctrl+C."""
        self.deck.copy_selection()

    def on_footer_pressed(self, message: Footer.Pressed) -> None:
        """A click in the footer is the key."""
        self.deck.perform(message.action, "")

    def on_screen_resume(self) -> None:
        """What changed while another screen was on top."""
        self.tick(slow=True)

    def tick(self, *, slow: bool) -> None:
        """Redraws what changed; `slow` on those ticks that are for more than the log."""
        if slow:
            for bar in self._bars:
                bar.sync()
