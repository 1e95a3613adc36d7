"""Telling a run: its own words on stdout, its progress beside them, its verdict at the end."""

from __future__ import annotations

from rich.status import Status
from rich.text import Text

from tui.cli.output import err, note, out
from tui.cli.session import Exit
from tui.engine.interface import LogLine
from tui.jobs.follow import Ended
from tui.jobs.follow import follow as follow_updates
from tui.jobs.kinds.kind import Started
from tui.jobs.progress import RunProgress
from tui.jobs.submit import Run
from tui.text import bare, clean
from tui.watch.queued import QueuedReason
from tui.watch.session import Session
from tui.watch.words import took

# How much of a failed run's log is shown.
LAST_LINES = 25


class _Teller:
    """One line that changes in a terminal; elsewhere a line for each new stage."""

    def __init__(self, verbose: bool) -> None:
        self._verbose = verbose
        self._status: Status | None = err.status("it starts") if err.is_terminal else None
        self._told: set[object] = set()

    def start(self) -> None:
        if self._status:
            self._status.start()

    def stop(self) -> None:
        if self._status:
            self._status.stop()

    def line(self, line: LogLine) -> None:
        if line.is_error_stream:
            if self._verbose:
                note(bare(line.text))
        elif out.is_terminal:
            # Through the console that draws the changing line, or the two would write over each other.
            (err if self._status else out).print(Text.from_ansi(clean(line.text)))
        else:
            print(bare(line.text), flush=True)

    def told(self, text: str) -> None:
        if self._status:
            self._status.update(Text(text[: max(20, err.width - 4)]))
        note(text, "yellow")

    def once(self, key: object, text: str, style: str = "dim") -> None:
        if key not in self._told:
            self._told.add(key)
            note(text, style)

    def progress(self, progress: RunProgress) -> None:
        step = ", ".join(bare(step) for step in progress.steps)
        if not self._status:
            for stage in progress.stages:
                self.once(stage.step or stage.name, f"  stage {stage.stage_id}: {bare(stage.step or stage.name)}")
            return
        parts = [
            f"stage {stage.stage_id} {_bar(stage.fraction)} {stage.done}/{stage.total}"
            + (f" {stage.failed} failed" if stage.failed else "")
            + (f" about {took(stage.eta_seconds)} left" if stage.eta_seconds is not None else "")
            + (" longer than expected" if stage.overdue else "")
            for stage in progress.stages[:3]
        ]
        text = "  ".join([step or f"the driver works, {progress.jobs_done} Spark jobs done", *parts])
        self._status.update(Text(text[: max(20, err.width - 4)]))

    def waiting(self, reason: QueuedReason) -> None:
        if self._status:
            self._status.update(Text(f"waiting: {reason.text}"[: max(20, err.width - 4)]))
        self.once(reason.kind, f"waiting: {reason.text} {reason.hint}", "yellow")


def _bar(fraction: float | None, width: int = 12) -> str:
    if fraction is None:
        return "-" * width
    done = round(fraction * width)
    return "━" * done + "─" * (width - done)


async def tell_run(session: Session, run: Run, *, verbose: bool = False) -> tuple[int, Ended | None]:
    """Follows a run to its end and tells it. The exit code is the job's own; 1 where it hid a failure."""
    teller = _Teller(verbose)
    ended: Ended | None = None
    teller.start()
    try:
        updates = follow_updates(session.engine, session.stack, session.project, run, told=teller.told)
        async for update in updates:
            match update:
                case LogLine():
                    teller.line(update)
                case Started(app_id, url):
                    teller.once("started", f"  application {app_id}: {url}")
                case QueuedReason():
                    teller.waiting(update)
                case RunProgress():
                    teller.progress(update)
                case Ended():
                    ended = update
    finally:
        teller.stop()
    if ended is None:
        return Exit.FAILED, None
    _tell_end(run, ended, verbose)
    return (ended.exit_code or (Exit.OK if ended.verdict.ok else Exit.FAILED)), ended


def _tell_end(run: Run, ended: Ended, verbose: bool) -> None:
    judged = ended.verdict
    sign, style = ("✓", "green") if judged.ok else ("✗", "red")
    err.print(Text.assemble((f"{sign} ", style), f"{run.id}: {judged.text}", (f"  {took(ended.seconds)}", "dim")))
    if ended.unkept:
        note(ended.unkept, "yellow")
    if not judged.ok:
        if not verbose:
            note(f"the last lines of its log (all of it: sparkdeck logs {run.id} -n all):")
            for line in ended.tail[-LAST_LINES:]:
                note("  " + bare(line)[:300])
        if judged.hint:
            note(judged.hint, "yellow")
