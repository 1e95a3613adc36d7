"""MLflow's newest runs: what they measured, what they were given, two of them side by side."""

from __future__ import annotations

from collections.abc import Callable

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Input, Label, OptionList
from textual.widgets.option_list import Option

from tui.clients.http import ClientError
from tui.clients.mlflow import MlflowClient, MlflowRun
from tui.deck.actions import MLFLOW
from tui.deck.runtext import RunTable, about, compared
from tui.deck.screens.dialogs import Dialog
from tui.text import bare
from tui.watch.roles.mlflow import Recorded, recorded

NEWEST = 100


class MlflowScreen(Dialog[tuple[str, str]], scope=MLFLOW):
    """Runs above, the chosen one below. The answer is what to do (`open`, `copy`) and with what (address, id).

    `running` tells the ids of the job runs that go on; whenever it tells others, the server is asked again.
    """

    DEFAULT_CSS = """
    MlflowScreen { align: center middle; background: $background 60%; }
    MlflowScreen > Vertical {
        width: 96%; height: 92%; padding: 0 1;
        border: round $accent; border-title-color: $accent; border-title-style: bold; background: $background;
    }
    MlflowScreen OptionList {
        height: auto; max-height: 50%; border: none; padding: 0; background: $background; scrollbar-size-vertical: 1;
        text-wrap: nowrap; text-overflow: ellipsis;
    }
    MlflowScreen Input { border: none; height: 1; background: $panel; display: none; }
    MlflowScreen VerticalScroll { height: 1fr; border-top: solid $border; scrollbar-size-vertical: 1; }
    MlflowScreen Label { width: 100%; }
    MlflowScreen #head { height: 1; text-wrap: nowrap; text-overflow: ellipsis; }
    MlflowScreen.reading OptionList, MlflowScreen.reading #head { display: none; }
    MlflowScreen.reading VerticalScroll { border-top: none; }
    """

    def __init__(self, service: str, url: str, running: Callable[[], set[str]]) -> None:
        super().__init__()
        self._service = service
        self._url = url
        self._runs_now = running
        self._alive = running()
        self._known = Recorded()
        self._shown: list[MlflowRun] = []
        self._table = RunTable(self._known, (), self._alive, 0)
        self._marked: list[str] = []

    def compose(self) -> ComposeResult:
        """Titles, list, filter, details."""
        with Vertical() as frame:
            frame.border_title = Content(f"MLflow runs · {bare(self._service)}")
            frame.border_subtitle = Content(
                self.deck.keymap.tell(
                    "{choose} reads, {find} filters, {mark} compares, {open} opens, {copy} copies, {back} closes"
                )
            )
            yield Label(id="head", markup=False)
            yield OptionList(markup=False)
            yield Input(placeholder="part of a name, experiment, status or parameter", compact=True)
            with VerticalScroll():
                yield Label(f"asking {self._url} ...", id="details", markup=False)

    def on_mount(self) -> None:
        """Asks beside the screen."""
        self._ask()

    def tick(self, *, slow: bool) -> None:
        """Asks again once a job has begun or ended."""
        alive = self._runs_now()
        if alive != self._alive:
            self._alive = alive
            self._ask()

    def _ask(self) -> None:
        self.run_worker(self._load(), group="mlflow", exclusive=True, exit_on_error=False)

    async def _load(self) -> None:
        try:
            self._known = await recorded(self._url, NEWEST)
        except ClientError as error:
            self._say(Content(bare(str(error))))
            return
        self._show()
        if not self._known.runs:
            self._say(Content("No run was logged yet."))

    def _say(self, content: Content) -> None:
        self.query_one("#details", Label).update(content)

    def _show(self) -> None:
        """Fills the list; the chosen run stays the chosen one."""
        chosen, options, field = self._chosen(), self.query_one(OptionList), self.query_one(Input)
        wanted, names = field.value.lower().split(), self._known.experiments
        self._shown = [
            run
            for run in self._known.runs
            if all(word in about(run, names.get(run.info.experiment_id, "")) for word in wanted)
        ]
        # But for the scroll bar.
        self._table = RunTable(self._known, self._shown, self._alive, self.query_one(Vertical).size.width - 1)
        self.query_one("#head", Label).update(self._table.head() if self._shown else Content(""))
        options.clear_options()
        options.add_options([Option(self._row(run)) for run in self._shown])
        ids = [run.info.run_id for run in self._shown]
        if ids:
            options.highlighted = ids.index(chosen.info.run_id) if chosen and chosen.info.run_id in ids else 0
        if not field.display and not self.has_class("reading"):
            options.focus()
        self._describe()

    def _row(self, run: MlflowRun) -> Content:
        return self._table.row(run, marked=run.info.run_id in self._marked)

    def _chosen(self) -> MlflowRun | None:
        at = self.query_one(OptionList).highlighted
        return self._shown[at] if at is not None and at < len(self._shown) else None

    def _describe(self) -> None:
        by_id, chosen = {run.info.run_id: run for run in self._known.runs}, self._chosen()
        marked = [by_id[run_id] for run_id in self._marked if run_id in by_id]
        if len(marked) == 2:
            self._say(compared(*marked))
        else:
            self._say(self._table.details(chosen) if chosen is not None else Content(""))

    def on_option_list_option_highlighted(self, message: OptionList.OptionHighlighted) -> None:
        """Other details."""
        self._describe()

    def on_option_list_option_selected(self, message: OptionList.OptionSelected) -> None:
        """Enter or a click: the details have the whole frame."""
        self.add_class("reading")
        self.query_one(VerticalScroll).focus()

    def on_input_changed(self, message: Input.Changed) -> None:
        """Narrows the list."""
        self._show()

    def on_input_submitted(self, message: Input.Submitted) -> None:
        """Enter keeps the filter."""
        self.query_one(OptionList).focus()

    def on_resize(self, event: events.Resize) -> None:
        """Other columns fit."""
        if self._known.runs:
            self.call_after_refresh(self._show)

    def action_back(self) -> None:
        """Ends the reading, then the filter, then all."""
        field = self.query_one(Input)
        if self.has_class("reading"):
            self.remove_class("reading")
            self.query_one(OptionList).focus()
        elif field.display:
            field.display = False
            # Narrows no more.
            field.value = ""
            self.query_one(OptionList).focus()
        else:
            self.dismiss(None)

    def action_find(self) -> None:
        """Asks for a text."""
        self.remove_class("reading")
        field = self.query_one(Input)
        field.display = True
        field.focus()

    def action_mark(self) -> None:
        """Marks the chosen run, or takes its mark away; the two marked last are compared."""
        run, options = self._chosen(), self.query_one(OptionList)
        if run is None:
            return
        if run.info.run_id in self._marked:
            self._marked.remove(run.info.run_id)
        else:
            self._marked = [*self._marked[-1:], run.info.run_id]
        for at, each in enumerate(self._shown):
            options.replace_option_prompt_at_index(at, self._row(each))
        self._describe()

    def action_open(self) -> None:
        """Opens the run's page."""
        self._answer("open")

    def action_copy(self) -> None:
        """Copies the run's id."""
        self._answer("copy")

    def _answer(self, what: str) -> None:
        run = self._chosen()
        if run is not None:
            url = MlflowClient(self._url).run_url(run)
            self.dismiss((what, url if what == "open" else bare(run.info.run_id)))

    def _move(self, rows: int) -> None:
        if self.has_class("reading"):
            self.query_one(VerticalScroll).scroll_relative(y=rows, animate=False)
        else:
            super()._move(rows)
