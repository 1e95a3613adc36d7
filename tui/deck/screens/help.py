"""The keys valid here."""

from __future__ import annotations

from textwrap import wrap

from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Label

from tui.deck.actions import HELP, Keymap, keys_text
from tui.deck.screens.dialogs import Dialog

# Cells: of the frame at most, and before the help of an action.
WIDTH, HELP_AT = 96, 31


class HelpScreen(Dialog[None], scope=HELP):
    """A table of keys from the table of actions."""

    DEFAULT_CSS = """
    HelpScreen { align: center middle; background: $background; }
    HelpScreen > Vertical {
        width: 96; max-width: 98%; height: auto; max-height: 96%; padding: 0 1;
        border: round $accent; border-title-color: $accent; border-title-style: bold; background: $background;
    }
    HelpScreen VerticalScroll { height: auto; max-height: 100%; scrollbar-size-vertical: 1; }
    HelpScreen Label { width: 100%; }
    """

    def __init__(self, keymap: Keymap, scope: str) -> None:
        super().__init__()
        self._keymap = keymap
        self._scope = scope

    def compose(self) -> ComposeResult:
        """A row an action."""
        with Vertical() as frame:
            frame.border_title = "Keys here"
            frame.border_subtitle = Content(self._keymap.tell("{leave} closes"))
            with VerticalScroll():
                yield Label(Content("\n").join(self._rows()))

    def _rows(self) -> list[Content]:
        rows = []
        width = min(WIDTH, int(self.app.size.width * 0.98)) - HELP_AT - 5
        for action in self._keymap.of(self._scope):
            keys = keys_text(self._keymap.keys[action.id]) or "palette"
            why_not = self._keymap.why_not(action.id)
            asks = " (asks first)" if action.danger else ""
            text = f"\n{' ' * HELP_AT}".join(wrap(why_not or f"{action.help}{asks}", max(20, width)))
            rows.append(
                Content.assemble(
                    Content.styled(f"{keys:>14}  ", "$text-disabled" if why_not else "bold $accent"),
                    Content.styled(f"{action.title:<15}", "$text-disabled" if why_not else "bold"),
                    Content.styled(text, "$text-muted"),
                )
            )
        return rows
