"""Cleaning up: first only a list of what would go, with sizes; then, if that is confirmed, the removal."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Button, Label

from tui.actions.cleanup import Folder
from tui.deck import words
from tui.deck.actions import CLEANUP
from tui.deck.screens.dialogs import Dialog
from tui.engine.interface import Removable
from tui.text import bare


class CleanupScreen(Dialog[bool], scope=CLEANUP):
    """The dry run. The answer is whether to remove it."""

    DEFAULT_CSS = """
    CleanupScreen { align: center middle; background: $background 60%; }
    CleanupScreen > Vertical {
        width: 100; max-width: 96%; height: auto; max-height: 92%; padding: 0 1;
        border: round $accent; border-title-color: $accent; border-title-style: bold; background: $background;
    }
    CleanupScreen VerticalScroll { height: auto; max-height: 28; scrollbar-size-vertical: 1; }
    CleanupScreen Label { width: 100%; }
    CleanupScreen Horizontal { height: auto; align-horizontal: right; }
    CleanupScreen Button { margin: 0 0 0 2; }
    """

    def __init__(self, stack: str, removables: Sequence[Removable], folders: Sequence[Folder]) -> None:
        super().__init__()
        self._stack = stack
        self._removables = removables
        self._folders = folders

    def compose(self) -> ComposeResult:
        """The list and two buttons."""
        with Vertical() as frame:
            frame.border_title = Content(f"What {self._stack} keeps on this machine")
            with VerticalScroll():
                yield Label(Content("\n").join(self._rows()))
            with Horizontal():
                if self._removables:
                    yield Button("Remove these", id="remove", variant="error", compact=True)
                yield Button(self.deck.keymap.tell("Keep all ({no})"), id="keep", compact=True)

    def on_mount(self) -> None:
        """Keeping is the default."""
        self.query_one("#keep", Button).focus()

    def action_no(self) -> None:
        """All stays."""
        self.dismiss(False)

    def _rows(self) -> list[Content]:
        rows = [
            Content.assemble(
                Content.styled(f"{item.kind:<8} ", "$text-muted"),
                Content.styled(f"{words.size(item.size):>9}  ", "bold"),
                Content(bare(item.name)),
            )
            for item in self._removables
        ]
        total = sum(item.size or 0 for item in self._removables)
        least = "at least " if any(item.size is None for item in self._removables) else ""
        if rows:
            rows.append(
                Content.styled(f"{least}{words.size(total)} in all; layers that images share count with each", "bold")
            )
        else:
            rows.append(Content("Nothing is kept of this stack."))
        for folder in self._folders:
            rows.append(Content.styled(f"stays: {folder.path} ({words.size(folder.size)})", "$text-muted"))
        if self._folders:
            rows.append(Content.styled("To empty these folders too: sparkdeck cleanup --folders", "$text-muted"))
        return rows

    def on_button_pressed(self, message: Button.Pressed) -> None:
        """The answer."""
        self.dismiss(message.button.id == "remove")
