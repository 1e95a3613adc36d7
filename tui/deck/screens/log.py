"""What the two screens with a log share: the view, its status line, the prompt for search and filter."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.strip import Strip
from textual.widgets import Input, Label

from tui.deck import words
from tui.deck.draw import Row
from tui.deck.logmodel import LogSource
from tui.deck.lookback import LookBack
from tui.deck.pattern import Pattern
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
        if view.looking:
            row.add(f"   {view.looking} (Esc stops)", style.bar_key)
        held = sum(len(part) for part in model.source.parts)
        shown = f"{held:,} lines held"
        if model.narrowed:
            shown = f"{len(model.index):,} of {held + model.looked:,} lines"
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

    def on_log_view_wants_older(self, message: LogView.WantsOlder) -> None:
        """Loads older lines beside the screen."""
        self._look(self._load_older())

    async def _load_older(self) -> None:
        view = self.view
        if view.model.narrowed:
            await self._back("looking at older lines").narrow(view.size.height)
        else:
            await view.model.source.load_older()

    def on_log_view_wants_match(self, message: LogView.WantsMatch) -> None:
        """Searches on in lines that are not held."""
        if self.view.pattern is not None:
            self._look(self._search(self.view.pattern, message.step, message.at))

    async def _search(self, pattern: Pattern, step: int, at: int | None) -> None:
        view, model = self.view, self.view.model
        back = self._back("searching older lines" if step < 0 else "searching skipped lines")
        if step < 0:
            parts = model.source.parts
            number = await back.up(pattern, None if at is None else parts[-1].start)
        else:
            number = None if at is None else await back.down(pattern)
        view.looking = ""
        view.tick()
        if number is None and step > 0 and at is not None:
            # Behind what was skipped.
            place = model.find(pattern, model.place_of(at), 1)
            number = None if place is None else model.number_at(place)
        if pattern.failed:
            return
        if number is None:
            self.deck.say(f"{pattern.text!r}: no {'older' if step < 0 else 'newer'} match", severity="warning")
        else:
            view.go(model.place_of(number))

    def on_log_view_wants_row(self, message: LogView.WantsRow) -> None:
        """Brings the cursor's row back, which a filter had found far up."""
        self._look(self._bring(message.number))

    async def _bring(self, number: int) -> None:
        view = self.view
        await self._back("loading the lines around").to(number)
        view.looking = ""
        view.tick()
        view.go(view.model.place_of(number))

    def on_log_view_wants_gap(self, message: LogView.WantsGap) -> None:
        """Loads skipped lines beside the screen."""
        self._look(self._load_gap(message.number))

    async def _load_gap(self, number: int) -> None:
        came = await self.view.model.source.load(number)
        self.deck.say(f"{words.count(came, 'line')} loaded")

    def _back(self, doing: str) -> LookBack:
        """What is going on is told in the status line."""
        view = self.view

        def told(looked: int) -> None:
            view.looking = f"{doing} ... {looked:,} back"
            self.query_one(LogStatus).sync()

        told(0)
        return LookBack(view.model, told, view.take_older)

    def _look(self, work: Coroutine[Any, Any, None]) -> None:
        """One at a time: what is begun ends what was going on."""
        self.run_worker(self._looking(work), group="look", exclusive=True, exit_on_error=False)

    async def _looking(self, work: Coroutine[Any, Any, None]) -> None:
        view, status = self.view, self.query_one(LogStatus)
        try:
            await work
        except EngineError as error:
            self.deck.say(str(error), severity="error")
        finally:
            work.close()
            view.looking, view.loading_older = "", False
            view.tick()
            view.refresh()
            status.sync()

    def stop_looking(self) -> bool:
        """Ends what is done with lines that are not held; whether anything was."""
        self.view.loading_older = False
        return bool(self.workers.cancel_group(self, "look"))

    def tick(self, *, slow: bool) -> None:
        """The log on every tick, the rest on the slow ones."""
        super().tick(slow=slow)
        view = self.view
        view.tick()
        for pattern, drop in ((view.pattern, view.find), (view.model.pattern, view.set_filter)):
            if pattern is not None and pattern.failed:
                if view.looking:
                    self.stop_looking()
                drop(None)
                self.deck.say(pattern.failed, severity="error")
