"""What is wrong and what to do about it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Label, OptionList
from textual.widgets.option_list import Option

from tui.checks.finding import Finding
from tui.deck.actions import FINDINGS
from tui.deck.screens.dialogs import Dialog
from tui.engine.interface import EngineError
from tui.text import bare


class FindingsScreen(Dialog[Finding], scope=FINDINGS):
    """The findings; the answer is the chosen one.

    `now` tells what is known without asking anybody; whenever it tells something else, `check` looks further.
    """

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

    def __init__(self, now: Callable[[], list[Finding]], check: Callable[[], Awaitable[list[Finding]]]) -> None:
        super().__init__()
        self._now = now
        self._seen = self._known = now()
        self._check = check

    def compose(self) -> ComposeResult:
        """What is known at once; the rest follows."""
        with Vertical() as frame:
            frame.border_title = "Findings"
            frame.border_subtitle = Content(self.deck.keymap.tell("{choose} goes there, {leave} closes"))
            yield OptionList(markup=False)
            yield Label("looking further ...", markup=False)

    def on_mount(self) -> None:
        """Looks further beside the screen."""
        self._show()
        self._look_further()

    def tick(self, *, slow: bool) -> None:
        """Looks again once something else is known."""
        if slow and (seen := self._now()) != self._seen:
            self._seen = seen
            self._look_further()

    def _look_further(self) -> None:
        self.run_worker(self._look(), group="findings", exclusive=True, exit_on_error=False)

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
        at = options.highlighted or 0
        options.clear_options()
        options.add_options([Option(self._prompt(finding)) for finding in self._known])
        options.highlighted = min(at, len(self._known) - 1) if self._known else None

    def _prompt(self, finding: Finding) -> Content:
        return Content.assemble(
            Content.styled("✗ ", "$error"),
            Content.styled(bare(" ".join(finding.what.split())), "bold"),
            Content.styled(f"\n  {bare(' '.join(finding.remedy.split()))}", "$primary"),
        )

    def on_option_list_option_selected(self, message: OptionList.OptionSelected) -> None:
        """Enter or a click chooses."""
        self.dismiss(self._known[message.option_index])
