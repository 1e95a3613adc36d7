"""What the two screens with a log share: the view, its status line, the prompt for search and filter."""

from __future__ import annotations

from collections.abc import Callable

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.strip import Strip
from textual.widgets import Input, Label

from tui.deck import words
from tui.deck.draw import Row
from tui.deck.logmodel import LogSource
from tui.deck.screens.base import DeckScreen
from tui.deck.widgets.log import LogView
from tui.deck.widgets.rows import Rows
from tui.engine.interface import EngineError


class LogStatus(Rows):
    """One line: following or paused, what is searched and filtered, how many rows."""

    DEFAULT_CSS = "LogStatus { height: 1; }"

    def __init__(self, view: LogView) -> None:
        super().__init__()
        self._view = view

    def build(self, width: int, height: int) -> list[Strip]:
        """The line."""
        style, view = self.palette, self._view
        model = view.model
        row = Row(width)
        if view.follow:
            row.add(" ▼ following", style.bar_key)
        else:
            new = max(0, model.source.total - view.paused_at)
            row.add(" ‖ paused", style.bar_strong)
            row.add(f"  {words.count(new, 'new line')} below, G follows" if new else "  G follows", style.bar)
        if model.pattern:
            row.add("   only ", style.bar).add(model.pattern.text, style.bar_key)
        if model.level:
            word = "errors" if model.level == "error" else "warnings and errors"
            row.add("   only ", style.bar).add(word, style.bar_key)
        if view.pattern:
            row.add("   search ", style.bar).add(view.pattern.text, style.bar_key)
        for wanted, text in ((view.wrap, "wrap"), (not model.fold, "unfolded"), (bool(view.marks), "marks")):
            if wanted:
                row.add(f"   {text}", style.bar)
        held = sum(len(part) for part in model.source.parts)
        shown = f"{held:,} lines held"
        if model.pattern or model.level:
            shown = f"{len(model.index):,} of {shown}"
        row.fill(style.bar, len(shown) + 1).add(f"{shown} ", style.bar)
        return [row.strip(style.bar)]


class LogScreen(DeckScreen):
    """A screen around a log."""

    fast = True
    DEFAULT_CSS = """
    LogScreen LogView { height: 1fr; }
    #prompt { height: 1; display: none; background: $panel; }
    #prompt Label { width: auto; padding: 0 1; color: $accent; background: $panel; }
    #prompt Input { width: 1fr; border: none; height: 1; padding: 0; background: $panel; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._answer: Callable[[str], None] | None = None

    @property
    def view(self) -> LogView:
        """The log."""
        return self.query_one(LogView)

    @property
    def log_keys(self) -> list[str]:
        """The panes whose logs are looked at."""
        raise NotImplementedError

    def make_view(self, source: LogSource) -> LogView:
        """The view of the log."""
        return LogView(source)

    def log_parts(self, source: LogSource) -> ComposeResult:
        """View, prompt and status line for `compose`."""
        view = self.make_view(source)
        yield view
        with Horizontal(id="prompt"):
            yield Label("", id="prompt-title", markup=False)
            yield Input(compact=True, id="prompt-input")
        yield LogStatus(view)

    def ask(self, title: str, value: str, answer: Callable[[str], None]) -> None:
        """Asks for a text in the line under the log."""
        self._answer = answer
        self.query_one("#prompt-title", Label).update(title, layout=True)
        self.query_one("#prompt").display = True
        field = self.query_one("#prompt-input", Input)
        field.value = value
        field.focus()

    def end_prompt(self) -> bool:
        """Closes the question; whether one was open."""
        prompt = self.query_one("#prompt")
        was = bool(prompt.display)
        prompt.display = False
        self._answer = None
        self.view.focus()
        return was

    def on_input_submitted(self, message: Input.Submitted) -> None:
        """Enter in the question."""
        message.stop()
        answer = self._answer
        self.end_prompt()
        if answer is not None:
            answer(message.value)

    def on_log_view_changed(self, message: LogView.Changed) -> None:
        """The status line says what is new."""
        self.query_one(LogStatus).sync()

    async def on_log_view_wants_older(self, message: LogView.WantsOlder) -> None:
        """Loads older lines beside the screen."""
        self.run_worker(self._load_older(), group="older", exclusive=True, exit_on_error=False)

    async def _load_older(self) -> None:
        view = self.view
        try:
            await view.model.source.load_older()
        except EngineError as error:
            self.deck.say(str(error), severity="error")
        finally:
            view.loading_older = False
            view.tick()
            view.refresh()

    def on_log_view_wants_gap(self, message: LogView.WantsGap) -> None:
        """Loads skipped lines beside the screen."""
        self.run_worker(self._load_gap(message.number), group="gap", exclusive=True, exit_on_error=False)

    async def _load_gap(self, number: int) -> None:
        try:
            came = await self.view.model.source.load(number)
            self.deck.say(f"{words.count(came, 'line')} loaded")
        except EngineError as error:
            self.deck.say(str(error), severity="error")
        self.view.tick()

    def tick(self, *, slow: bool) -> None:
        """The log on every tick, the rest on the slow ones."""
        super().tick(slow=slow)
        self.view.tick()
