"""The submit form: a job of the layout or a file in `/apps`, its settings, checks as one types, and earlier runs."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Button, Input, Label, OptionList, Select
from textual.widgets.option_list import Option

from tui.deck import usecases, words
from tui.deck.actions import SUBMIT
from tui.deck.commands import FAILURES
from tui.deck.jobform import Form, Submission, form_of, problems, submission
from tui.deck.screens.dialogs import Dialog
from tui.engine.interface import State
from tui.jobs.kinds import KINDS
from tui.jobs.kinds.kind import SubmitError
from tui.jobs.submit import Run
from tui.stack.model import JobKind, JobSpec
from tui.text import bare
from tui.watch.session import Session

# Field, its title, what stands in it while it is empty.
FIELDS = (
    ("main_class", "main class", "of a JAR: com.example.Main"),
    ("args", "arguments", "of the application"),
    ("tasks", "TASKS", "load,preprocess,train"),
    ("driver_memory", "driver memory", "1g"),
    ("executor_memory", "executor memory", "1g"),
    ("cores", "cores in all", "all that are free"),
    ("jars", "extra jars", "/apps/one.jar,/apps/two.jar"),
    ("confs", "more confs", "spark.sql.shuffle.partitions=8; KEY=VALUE"),
)
# How long one types on before the checks look, in seconds.
PAUSE = 0.3


class SubmitScreen(Dialog[None], scope=SUBMIT):
    """The form left, earlier runs right; the exact command and what speaks against it below."""

    DEFAULT_CSS = """
    SubmitScreen { align: center middle; background: $background 60%; }
    SubmitScreen > Vertical {
        width: 130; max-width: 98%; height: auto; max-height: 98%; padding: 0 1;
        border: round $accent; border-title-color: $accent; border-title-style: bold; background: $background;
    }
    SubmitScreen .row { height: 1; }
    SubmitScreen .row Label { width: 17; color: $text-muted; }
    SubmitScreen .row Input { width: 1fr; border: none; height: 1; background: $panel; padding: 0 1; }
    SubmitScreen .row Select { width: 1fr; height: 1; }
    SubmitScreen .row SelectCurrent { background: $panel; border: none; height: 1; padding: 0 1 !important; }
    SubmitScreen #columns { height: auto; }
    SubmitScreen #fields { width: 3fr; height: auto; }
    SubmitScreen #history { width: 2fr; height: 10; padding-left: 2; }
    SubmitScreen #history Label { color: $text-muted; }
    SubmitScreen #history OptionList { height: 1fr; border: none; padding: 0; background: $background; }
    SubmitScreen #verdict { width: 100%; height: auto; min-height: 3; margin-top: 1; }
    SubmitScreen #verdict-text { width: 100%; }
    SubmitScreen #buttons { height: 1; align-horizontal: right; }
    SubmitScreen Button { margin-left: 2; }
    """

    def __init__(self, ready: Session, runs: Sequence[Run], files: Sequence[str]) -> None:
        super().__init__()
        self._ready = ready
        self._runs = [run for run in runs if run.replica.command]
        self._files = files
        self._checking: asyncio.Task[None] | None = None
        self._made: Submission | None = None

    def compose(self) -> ComposeResult:
        """Fields, runs, verdict, buttons."""
        layout = self._ready.stack.layout
        options = [(Content(f"{job.title or job.name}  ({job.name})"), job.name) for job in layout.jobs]
        options += [(Content(bare(name)), name) for name in self._files]
        default = layout.default_job()
        with Vertical() as frame:
            frame.border_title = "Submit a job"
            frame.border_subtitle = Content(self.deck.keymap.tell("{next} moves, {send} submits, {leave} leaves"))
            with Horizontal(id="columns"):
                with Vertical(id="fields"):
                    with Horizontal(classes="row"):
                        yield Label("job")
                        value = default.name if default else Select.NULL
                        yield Select(options, value=value, allow_blank=default is None, id="job", compact=True)
                    for name, title, example in FIELDS:
                        if default is not None:
                            service = self._ready.project.services.get(default.service)
                            example = KINDS[default.kind].default(name, service) or example
                        with Horizontal(classes="row", id=f"row-{name}"):
                            yield Label(title, markup=False)
                            yield Input(placeholder=example, id=name, compact=True)
                with Vertical(id="history"):
                    yield Label("runs so far, Enter to reuse" if self._runs else "no runs so far", markup=False)
                    yield OptionList(*(Option(self._past(run)) for run in self._runs), markup=False)
            with VerticalScroll(id="verdict"):
                yield Label("", id="verdict-text")
            with Horizontal(id="buttons"):
                yield Button(self.deck.keymap.tell("Submit ({send})"), id="submit", variant="primary", compact=True)
                yield Button("Leave", id="leave", compact=True)

    def on_mount(self) -> None:
        """The first field, and a first look."""
        self._show_fields()
        self.query_one("#job", Select).focus()
        self._look_soon()

    async def on_unmount(self) -> None:
        """Nothing goes on."""
        if self._checking is not None:
            self._checking.cancel()
            await asyncio.gather(self._checking, return_exceptions=True)

    def _past(self, run: Run) -> Content:
        replica = run.replica
        if replica.state is not State.ENDED:
            sign, style = "▸", "$accent"
        else:
            sign, style = ("✓", "$success") if replica.exit_code == 0 else ("✗", "$error")
        # The row is short: of what is long past, the day is enough.
        form = "%d %b" if run.is_past else "%d %b %H:%M"
        when = run.submitted_at.astimezone().strftime(form) if run.submitted_at else ""
        took = "running" if replica.state is not State.ENDED else words.UNKNOWN
        if replica.started_at and replica.ended_at:
            took = words.took((replica.ended_at - replica.started_at).total_seconds())
        wide = max(len(one.id) for one in self._runs)
        gone = "  no log" if run.is_past else ""
        return Content.assemble(
            Content.styled(f"{sign} ", style),
            Content(f"{bare(run.id):<{wide}}"),
            Content.styled(f"  {when:<12}  {took}{gone}", "$text-muted"),
        )

    def form(self) -> Form:
        """What the fields say."""
        job = self.query_one("#job", Select).value
        values = {name: self.query_one(f"#{name}", Input).value for name, _, _ in FIELDS}
        return Form(job=job if isinstance(job, str) else "", **values)

    def fill(self, form: Form) -> None:
        """Puts a form into the fields."""
        select = self.query_one("#job", Select)
        known = {job.name for job in self._ready.stack.layout.jobs}
        if form.job in known or form.job in self._files:
            select.value = form.job
        for name, _, _ in FIELDS:
            self.query_one(f"#{name}", Input).value = getattr(form, name)

    def on_select_changed(self, message: Select.Changed) -> None:
        """Another job."""
        job = self._show_fields()
        tasks = self.query_one("#tasks", Input)
        tasks.placeholder = job.env.get("TASKS", "") if job else ""
        self._look_soon()

    def _show_fields(self) -> JobSpec | None:
        """Shows the fields that the chosen job's kind has; the job, None for a file."""
        layout, chosen = self._ready.stack.layout, self.query_one("#job", Select).value
        job = next((job for job in layout.jobs if job.name == chosen), None)
        kind = KINDS[job.kind if job else JobKind.SPARK]
        for name, _, _ in FIELDS:
            self.query_one(f"#row-{name}").display = name in kind.fields
        self.query_one("#confs", Input).placeholder = kind.conf_example
        return job

    def on_input_changed(self, message: Input.Changed) -> None:
        """Another text."""
        self._look_soon()

    def on_option_list_option_selected(self, message: OptionList.OptionSelected) -> None:
        """An earlier run again."""
        layout = self._ready.stack.layout
        self.fill(form_of(self._runs[message.option_index], layout.jobs))

    def on_input_submitted(self, message: Input.Submitted) -> None:
        """Enter goes to the next field."""
        self.focus_next()

    def on_button_pressed(self, message: Button.Pressed) -> None:
        """Submit or leave."""
        if message.button.id == "submit":
            self.action_send()
        else:
            self.dismiss(None)

    def _look_soon(self) -> None:
        if self._checking is not None:
            self._checking.cancel()
        self._checking = asyncio.create_task(self._look(), name="submit-checks")

    async def _look(self) -> None:
        await asyncio.sleep(PAUSE)
        try:
            made = submission(self._ready, self.form())
            found = await problems(self._ready, made, self._ready.watch.spark)
        except FAILURES as error:
            self._tell(None, [str(error)])
            return
        self._tell(made, found)

    def _tell(self, made: Submission | None, found: Sequence[str]) -> None:
        parts = []
        if made is not None:
            line = usecases.submit(self._ready, self.form(), made).line
            parts.append(Content.styled(f"$ {bare(line)}", "$primary"))
        for text in found:
            parts.append(Content.styled(f"▲ {bare(' '.join(text.split()))}", "$warning"))
        if made is not None and not found:
            parts.append(Content.styled(f"✓ {KINDS[made.job.kind].all_well}", "$success"))
        self.query_one("#verdict-text", Label).update(Content("\n").join(parts))

    def action_next(self) -> None:
        """The next field."""
        self.focus_next()

    def action_previous(self) -> None:
        """The field before."""
        self.focus_previous()

    action_down, action_up = action_next, action_previous

    def action_send(self) -> None:
        """Submits, unless the form cannot be read; what else speaks against it the submission itself says."""
        try:
            made = submission(self._ready, self.form())
        except SubmitError as error:
            self._tell(None, [str(error)])
            return
        self.deck.runner.start(usecases.submit(self._ready, self.form(), made))
        self.dismiss(None)
