"""What is wrong and what to do about it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Label, OptionList
from textual.widgets.option_list import Option

from tui.checks.finding import Finding
from tui.deck.screens.dialogs import Dialog
from tui.engine.interface import EngineError
from tui.text import bare


class FindingsScreen(Dialog[str]):
    """The findings; the answer is the service of the chosen one."""

    DEFAULT_CSS = """
    FindingsScreen { align: center middle; background: $background 60%; }
    FindingsScreen > Vertical {
        width: 110; max-width: 96%; height: auto; max-height: 92%; padding: 0 1;
        border: round $accent; border-title-color: $accent; border-title-style: bold; background: $background;
    }
    FindingsScreen OptionList {
        height: auto; max-height: 32; border: none; padding: 0; background: $background; scrollbar-size-vertical: 1;
    }
    FindingsScreen Label { width: 100%; color: $text-muted; }
    """
    BINDINGS: ClassVar = [
        Binding("q,exclamation_mark", "dismiss(None)", show=False),
        Binding("j", "cursor(1)", show=False),
        Binding("k", "cursor(-1)", show=False),
    ]

    def __init__(self, known: Sequence[Finding], check: Callable[[], Awaitable[list[Finding]]]) -> None:
        super().__init__()
        self._known = list(known)
        self._check = check

    def compose(self) -> ComposeResult:
        """What is known at once; the rest follows."""
        with Vertical() as frame:
            frame.border_title = "Findings"
            frame.border_subtitle = "Enter goes there, Esc closes"
            yield OptionList(markup=False)
            yield Label("looking further ...", markup=False)

    def on_mount(self) -> None:
        """Looks further beside the screen."""
        self._show()
        self.run_worker(self._look(), exit_on_error=False)

    async def _look(self) -> None:
        try:
            self._known = await self._check()
            text = "" if self._known else "Nothing is wrong that could be seen."
        except (EngineError, OSError) as error:
            text = bare(str(error))
        self._show()
        self.query_one(Label).update(Content(text))
        self.query_one(Label).display = bool(text)

    def _show(self) -> None:
        options = self.query_one(OptionList)
        options.clear_options()
        options.add_options([Option(self._prompt(finding)) for finding in self._known])
        options.highlighted = 0 if self._known else None

    def _prompt(self, finding: Finding) -> Content:
        return Content.assemble(
            Content.styled("✗ ", "$error"),
            Content.styled(bare(" ".join(finding.what.split())), "bold"),
            Content.styled(f"\n  {bare(' '.join(finding.remedy.split()))}", "$primary"),
        )

    def on_option_list_option_selected(self, message: OptionList.OptionSelected) -> None:
        """Enter or a click goes to the service."""
        self.dismiss(self._known[message.option_index].service or None)

    def action_cursor(self, rows: int) -> None:
        """Up and down."""
        options = self.query_one(OptionList)
        options.action_cursor_down() if rows > 0 else options.action_cursor_up()
