"""Every action valid here, found by typing."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from tui.deck.actions import PALETTE, Action, Keymap, keys_text
from tui.deck.screens.dialogs import Dialog

# What nobody looks up by name.
MOVES = ("left", "right", "up", "down", "next", "previous", "page-up", "page-down", "palette", "jump")


class Palette(Dialog[str], scope=PALETTE):
    """A field and the actions that match it. The answer is an action's id."""

    DEFAULT_CSS = """
    Palette { align: center top; background: $background 60%; }
    Palette > Vertical {
        width: 106; max-width: 94%; height: auto; max-height: 90%; margin-top: 2; padding: 0 1;
        border: round $accent; border-title-color: $accent; border-title-style: bold; background: $background;
    }
    Palette Input { border: none; height: 1; background: $panel; }
    Palette OptionList { height: auto; max-height: 22; border: none; padding: 0; background: $background;
        text-wrap: nowrap; text-overflow: ellipsis; scrollbar-size-vertical: 1;
    }
    """

    def __init__(self, keymap: Keymap, scope: str) -> None:
        super().__init__()
        self._keymap = keymap
        self._actions = [action for action in keymap.of(scope) if action.id not in MOVES]

    def compose(self) -> ComposeResult:
        """Field and list."""
        with Vertical() as frame:
            frame.border_title = "Actions"
            yield Input(placeholder="type a part of a name", compact=True)
            yield OptionList(*self._options(""), markup=False)

    def on_mount(self) -> None:
        """The first one is chosen."""
        self.query_one(OptionList).highlighted = 0
        self.query_one(Input).focus()

    def _options(self, text: str) -> list[Option]:
        words = text.lower().split()
        found = [
            action
            for action in self._actions
            if all(word in f"{action.title} {action.help} {action.id}".lower() for word in words)
        ]
        found.sort(key=lambda action: not action.title.lower().startswith(text.lower()))
        return [Option(self._prompt(action), action.id) for action in found]

    def _prompt(self, action: Action) -> Content:
        why_not = self._keymap.why_not(action.id)
        return Content.assemble(
            Content.styled(f"{action.title:<16}", "$text-disabled" if why_not else "bold"),
            Content.styled(
                f"{keys_text(self._keymap.keys[action.id]):>12}  ", "$text-disabled" if why_not else "$accent"
            ),
            Content.styled(why_not or action.help, "$text-muted"),
        )

    def on_input_changed(self, message: Input.Changed) -> None:
        """Narrows the list."""
        options = self.query_one(OptionList)
        options.clear_options()
        options.add_options(self._options(message.value))
        options.highlighted = 0 if options.option_count else None

    def on_input_submitted(self, message: Input.Submitted) -> None:
        """Enter takes the chosen one."""
        options = self.query_one(OptionList)
        if options.highlighted is not None:
            self.dismiss(options.get_option_at_index(options.highlighted).id)

    def on_option_list_option_selected(self, message: OptionList.OptionSelected) -> None:
        """A click."""
        self.dismiss(message.option_id)
