"""`sparkdeck jobs`: the runs so far, and one of them again."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.text import Text

from tui.cli.arguments import Json
from tui.cli.output import note, print_json, print_table, say, table
from tui.cli.session import Choice, Exit, fail, open_session, verb
from tui.cli.tell import tell_run
from tui.engine.interface import Capability
from tui.jobs.journal import history
from tui.jobs.submit import Run, find_run
from tui.jobs.submit import cancel as cancel_run
from tui.text import bare
from tui.watch.outlast import Outlast
from tui.watch.words import took


@verb
async def jobs(
    context: typer.Context,
    run: Annotated[
        str | None, typer.Argument(help="Follow this run (or a job's newest), or show how it ended.")
    ] = None,
    cancel: Annotated[bool, typer.Option("--cancel", help="End this run.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Show the driver's log too.")] = False,
    as_json: Json = False,
) -> int:
    """List the runs, or take one up again."""
    async with open_session(context, *([Capability.CONTROL] if cancel else [])) as session:
        told = note if run is None else lambda text: None
        patience = Outlast(session.engine, note)
        runs = await patience.until(lambda: history(session.engine, session.stack, told))
        if run is None:
            if cancel:
                fail(Exit.USAGE, "Which run? sparkdeck jobs RUN --cancel")
            _list(runs, as_json)
            return Exit.OK
        found = find_run(runs, run)
        if cancel:
            if Choice.of(context).read_only:
                fail(Exit.USAGE, "--cancel ends a run, and --read-only was said.")
            if found.is_over:
                fail(Exit.FAILED, f"{found.id} has ended already.")
            await cancel_run(session.engine, found.replica)
            note(f"{found.id} was ended")
            return Exit.OK
        if found.is_past:
            how = bare(found.verdict.text) if found.verdict else _word(found)[0]
            note(f"{bare(found.id)}: {how}  {took(_seconds(found))}")
            note("its log went when the stack was taken down")
            return _code(found)
        code, _ = await tell_run(session, found, verbose=verbose)
        return code


def _code(run: Run) -> int:
    """The exit code of a run that nobody can follow any more: its own; 1 where it hid a failure or is not known."""
    code = run.replica.exit_code
    failed = code is None or (run.verdict is not None and not run.verdict.ok)
    return code or (Exit.FAILED if failed else Exit.OK)


def _seconds(run: Run) -> float | None:
    started = run.replica.started_at
    if started is None:
        return None
    ended = run.replica.ended_at if run.is_over else datetime.now(UTC)
    return (ended - started).total_seconds() if ended else None


def _word(run: Run) -> tuple[str, str]:
    if not run.is_over:
        return str(run.replica.state), "yellow"
    if run.verdict is not None and not run.verdict.ok and not run.replica.exit_code:
        return ("unknown", "yellow") if run.replica.exit_code is None else ("hid a failure", "red")
    if run.replica.exit_code is None:
        return "unknown", "yellow"
    if run.replica.exit_code == 0:
        return "ok", "green"
    if run.replica.out_of_memory:
        return "out of memory", "red"
    return f"failed ({run.replica.exit_code})", "red"


def _when(run: Run) -> str:
    """The local time of the submit, with the date where it was another day."""
    if run.submitted_at is None:
        return "-"
    at = run.submitted_at.astimezone()
    return at.strftime("%H:%M:%S" if at.date() == datetime.now().date() else "%Y-%m-%d %H:%M")


def _list(runs: list[Run], as_json: bool) -> None:
    if as_json:
        print_json(
            [
                {
                    "run": run.id,
                    "job": run.job,
                    "args": run.args,
                    "state": run.replica.state,
                    "exit_code": run.replica.exit_code if run.is_over else None,
                    "out_of_memory": run.replica.out_of_memory,
                    "submitted_at": run.submitted_at,
                    "seconds": _seconds(run),
                    "verdict": run.verdict.text if run.verdict else None,
                    "has_log": not run.is_past,
                }
                for run in runs
            ]
        )
        return
    if not runs:
        say("no runs yet. Submit one: sparkdeck submit")
        return
    rows: list[list[str | Text]] = []
    for run in runs:
        word, style = _word(run)
        if run.is_past:
            word, style = f"{word}, log gone", "dim"
        rows.append([run.id, run.job, Text(word, style=style), _when(run), took(_seconds(run)), " ".join(run.args)])
    print_table(table("run", "job", "state", "submitted", "took", "arguments", rows=rows, right=("took",)))
