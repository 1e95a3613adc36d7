"""MLflow's newest runs: what they measured, what they were given, two of them side by side."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Input, Label, OptionList
from textual.widgets.option_list import Option

from tui.checks.mlflow import is_stale
from tui.clients.http import ClientError
from tui.clients.mlflow import MlflowClient, MlflowRun
from tui.deck import words
from tui.deck.screens.dialogs import Dialog
from tui.text import bare

NEWEST = 100
# Of a run's metrics those that its row has room for.
IN_ROW = 4
_SIGNS = {"FINISHED": ("✓", "$success"), "RUNNING": ("▸", "$accent"), "FAILED": ("✗", "$error")}


class MlflowScreen(Dialog[tuple[str, str]]):
    """Runs above, the chosen one below. The answer is what to do (`open`, `copy`) and with what (address, id)."""

    DEFAULT_CSS = """
    MlflowScreen { align: center middle; background: $background 60%; }
    MlflowScreen > Vertical {
        width: 96%; height: 92%; padding: 0 1;
        border: round $accent; border-title-color: $accent; border-title-style: bold; background: $background;
    }
    MlflowScreen OptionList {
        height: 1fr; border: none; padding: 0; background: $background; scrollbar-size-vertical: 1;
        text-wrap: nowrap; text-overflow: ellipsis;
    }
    MlflowScreen Input { border: none; height: 1; background: $panel; display: none; }
    MlflowScreen VerticalScroll { height: 1fr; border-top: solid $border; scrollbar-size-vertical: 1; }
    MlflowScreen Label { width: 100%; }
    """
    BINDINGS: ClassVar = [
        Binding("q,m", "dismiss(None)", show=False),
        Binding("j", "cursor(1)", show=False),
        Binding("k", "cursor(-1)", show=False),
        Binding("o", "answer('open')", show=False),
        Binding("y", "answer('copy')", show=False),
        Binding("space", "mark", show=False),
        Binding("slash", "filter", show=False),
    ]

    def __init__(self, service: str, url: str, running: set[str]) -> None:
        super().__init__()
        self._service = service
        self._url = url
        self._alive = running
        self._runs: Sequence[MlflowRun] = ()
        self._names: dict[str, str] = {}
        self._shown: list[MlflowRun] = []
        self._marked: dict[str, None] = {}

    def compose(self) -> ComposeResult:
        """List, filter, details."""
        with Vertical() as frame:
            frame.border_title = Content(f"MLflow runs · {bare(self._service)}")
            frame.border_subtitle = "/ filters, Space marks to compare, o opens, y copies the id, Esc closes"
            yield OptionList(markup=False)
            yield Input(placeholder="part of a name, experiment, status or parameter", compact=True)
            with VerticalScroll():
                yield Label(f"asking {self._url} ...", markup=False)

    def on_mount(self) -> None:
        """Asks beside the screen."""
        self.run_worker(self._load(), exit_on_error=False)

    async def _load(self) -> None:
        async with MlflowClient(self._url) as client:
            try:
                self._names = {one.experiment_id: one.name for one in await client.experiments()}
                self._runs = await client.runs(list(self._names), max_results=NEWEST)
            except ClientError as error:
                self.query_one(Label).update(Content(bare(str(error))))
                return
        self._narrow("")
        if not self._runs:
            self.query_one(Label).update("No run was logged yet.")

    def _narrow(self, text: str) -> None:
        wanted = text.lower().split()

        def about(run: MlflowRun) -> str:
            parts = [run.info.run_name, run.info.status, self._names.get(run.info.experiment_id, "")]
            return " ".join([*parts, *(f"{key}={value}" for key, value in run.params.items())]).lower()

        self._shown = [run for run in self._runs if all(word in about(run) for word in wanted)]
        options = self.query_one(OptionList)
        options.clear_options()
        options.add_options([Option(self._prompt(run)) for run in self._shown])
        options.highlighted = 0 if self._shown else None
        if not self.query_one(Input).display:
            options.focus()

    def _prompt(self, run: MlflowRun) -> Content:
        info, now = run.info, datetime.now(UTC)
        status, (sign, style) = info.status, _SIGNS.get(info.status, ("■", "$text-muted"))
        if is_stale(run, self._alive, now):
            sign, style, status = "▲", "$warning", "left"
        began = f"{info.started_at.astimezone():%m-%d %H:%M}" if info.started_at else words.UNKNOWN
        took = words.UNKNOWN
        if info.started_at is not None:
            took = words.took(((info.ended_at or now) - info.started_at).total_seconds())
        metrics = "  ".join(f"{key} {value:.4g}" for key, value in list(run.metrics.items())[:IN_ROW])
        mark = "●" if info.run_id in self._marked else " "
        return Content.assemble(
            Content.styled(f"{mark}{sign} {bare(status).lower():<9}", style),
            Content.styled(f"{began} {took:>8}  ", "$text-muted"),
            Content.styled(f"{bare(self._names.get(info.experiment_id, '?'))[:24]:<18} ", "$primary"),
            Content.styled(f"{bare(info.run_name)[:28]:<24} ", "bold"),
            Content.styled(bare(metrics), "$text-muted"),
        )

    def _chosen(self) -> MlflowRun | None:
        at = self.query_one(OptionList).highlighted
        return self._shown[at] if at is not None and at < len(self._shown) else None

    def _describe(self) -> None:
        marked = [run for run in self._runs if run.info.run_id in self._marked]
        chosen = self._chosen()
        if len(marked) > 1:
            content = self._compared(marked[:2])
        elif chosen is not None:
            content = self._details(chosen)
        else:
            content = Content("")
        self.query_one(Label).update(content)

    def _details(self, run: MlflowRun) -> Content:
        parts = [Content.styled(f"{bare(run.info.run_id)}\n", "$text-muted")]
        if is_stale(run, self._alive, datetime.now(UTC)):
            parts.append(Content.styled("It says RUNNING, but what logged it is gone.\n", "$warning"))
        for title, pairs in (
            ("Metrics", {key: f"{value:.6g}" for key, value in run.metrics.items()}),
            ("Parameters", run.params),
            ("Tags", {key: value for key, value in run.tags.items() if not key.startswith("mlflow.")}),
        ):
            if pairs:
                parts.append(Content.styled(f"{title}\n", "bold $accent"))
            parts += [
                Content.assemble(f"  {bare(key):<32} ", bare(value), "\n") for key, value in sorted(pairs.items())
            ]
        return Content.assemble(*parts)

    def _compared(self, runs: Sequence[MlflowRun]) -> Content:
        """What differs between two runs."""
        left, right = runs
        parts = [
            Content.styled(f"{'':<34}{bare(left.info.run_name)[:28]:<30}{bare(right.info.run_name)[:28]}\n", "bold")
        ]
        for title, one, other in (
            ("Metrics", _texts(left.metrics), _texts(right.metrics)),
            ("Parameters that differ", left.params, right.params),
        ):
            keys = [key for key in sorted({*one, *other}) if title == "Metrics" or one.get(key) != other.get(key)]
            if keys:
                parts.append(Content.styled(f"{title}\n", "bold $accent"))
            for key in keys:
                row = (bare(key)[:30], bare(one.get(key, words.UNKNOWN))[:28], bare(other.get(key, words.UNKNOWN))[:28])
                parts.append(Content(f"  {row[0]:<32}{row[1]:<30}{row[2]}\n"))
        return Content.assemble(*parts)

    def on_option_list_option_highlighted(self, message: OptionList.OptionHighlighted) -> None:
        """Other details."""
        self._describe()

    def on_input_changed(self, message: Input.Changed) -> None:
        """Narrows the list."""
        self._narrow(message.value)

    def on_input_submitted(self, message: Input.Submitted) -> None:
        """Enter keeps the filter."""
        self.query_one(OptionList).focus()

    def on_key(self, event: events.Key) -> None:
        """Esc in the filter ends the filter only."""
        field = self.query_one(Input)
        if event.key == "escape" and field.display:
            event.stop()
            event.prevent_default()
            field.value = ""
            field.display = False
            self._narrow("")

    def action_filter(self) -> None:
        """Asks for a text."""
        field = self.query_one(Input)
        field.display = True
        field.focus()

    def action_mark(self) -> None:
        """Marks the chosen run, or takes its mark away; two marked ones are compared."""
        run, options = self._chosen(), self.query_one(OptionList)
        if run is None or options.highlighted is None:
            return
        if run.info.run_id in self._marked:
            del self._marked[run.info.run_id]
        else:
            self._marked[run.info.run_id] = None
        options.replace_option_prompt_at_index(options.highlighted, self._prompt(run))
        self._describe()

    def action_answer(self, what: str) -> None:
        """Opens the run's page, or copies its id."""
        run = self._chosen()
        if run is not None:
            url = MlflowClient(self._url).run_url(run)
            self.dismiss((what, url if what == "open" else run.info.run_id))

    def action_cursor(self, rows: int) -> None:
        """Up and down."""
        options = self.query_one(OptionList)
        options.action_cursor_down() if rows > 0 else options.action_cursor_up()


def _texts(metrics: dict[str, float]) -> dict[str, str]:
    return {key: f"{value:.6g}" for key, value in metrics.items()}
