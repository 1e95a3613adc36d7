"""`sparkdeck logs`: what services and runs wrote."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from datetime import datetime
from typing import Annotated

import typer
from rich.style import Style

from tui.actions.replicas import choose
from tui.cli.arguments import complete_service
from tui.cli.output import note, out
from tui.cli.session import Exit, fail, open_session, verb
from tui.engine.interface import Capability, Replica
from tui.jobs.submit import find_runs
from tui.stack.model import Project
from tui.text import bare, clean
from tui.watch.logs import Tagged, follow, recent
from tui.watch.names import short_name
from tui.watch.outlast import Outlast

_COLOURS = ("cyan", "green", "magenta", "yellow", "blue", "bright_cyan", "bright_green", "bright_magenta")


@verb
async def logs(
    context: typer.Context,
    services: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[SERVICE|REPLICA|RUN]...",
            help="All services if none is named.",
            autocompletion=complete_service,
        ),
    ] = None,
    follow_on: Annotated[bool, typer.Option("--follow", "-f", help="Go on with new lines, over restarts.")] = False,
    tail: Annotated[str, typer.Option("--tail", "-n", metavar="N|all", help="How many old lines of each.")] = "100",
    timestamps: Annotated[bool, typer.Option("--timestamps", "-t", help="Show when each line was written.")] = False,
) -> int:
    """Show what services and runs wrote.

    Several together stand in the order of time.
    """
    if tail != "all" and not tail.isdigit():
        fail(Exit.USAGE, f"--tail takes a number or `all`, not {tail!r}.")
    async with open_session(context, Capability.LOGS) as session:
        names = services or []
        runs = {run.id: run.replica.id for run in await find_runs(session.engine)}
        kept = [name for name in names if name not in runs]
        chosen = await choose(session.engine, session.project, kept, runs)
        wanted_runs = {runs[name] for name in names if name in runs}

        def wanted(replica: Replica) -> bool:
            if replica.is_run:
                return replica.id in wanted_runs
            return chosen.includes(replica) if kept or not names else False

        count = None if tail == "all" else int(tail)
        show = _Show(session.project, single=len(names) == 1, timestamps=timestamps)
        if follow_on:
            patience = Outlast(session.engine, note)
            # Who reads in a terminal wants what is written now; who reads from a pipe, all of it.
            batches = follow(session.engine, wanted, count, patience, skip=out.is_terminal)
            async with aclosing(batches):
                async for batch in batches:
                    await asyncio.to_thread(show.lines, batch)
        else:
            replicas = [replica for replica in await session.engine.replicas() if wanted(replica)]
            async with aclosing(recent(session.engine, replicas, count, note)) as entries:
                async for entry in entries:
                    show.lines([entry])
    return Exit.OK


class _Show:
    """Prints lines; for grep and friends as plain text. Not by way of Rich, which takes a hundred times as long."""

    def __init__(self, project: Project, *, single: bool, timestamps: bool) -> None:
        self._project = project
        self._single = single
        self._timestamps = timestamps
        self._coloured = out.is_terminal and out.color_system is not None
        self._heads: dict[str, str] = {}

    def lines(self, batch: Sequence[Tagged]) -> None:
        """Prints these, and how many were left out between them."""
        written = []
        for entry in batch:
            head = self._head(entry.replica)
            if entry.skipped:
                written.append(head + self._style("dim", f"── {entry.skipped:,} lines skipped ──"))
            if self._timestamps:
                when = datetime.fromtimestamp(entry.line.at_ns / 1e9).astimezone()
                head += self._style("dim", when.isoformat(timespec="milliseconds")) + " "
            text = entry.line.text
            written.append(f"{head}{clean(text)}\x1b[0m" if self._coloured else head + bare(text))
        print("\n".join(written), flush=True)

    def _head(self, replica: Replica) -> str:
        if self._single:
            return ""
        if replica.id not in self._heads:
            name = short_name(replica, self._project)
            colour = _COLOURS[sum(name.encode()) % len(_COLOURS)]
            self._heads[replica.id] = self._style(colour, f"{name:18s} | ") if out.is_terminal else f"{name} | "
        return self._heads[replica.id]

    def _style(self, style: str, text: str) -> str:
        return Style.parse(style).render(text, color_system=out._color_system) if self._coloured else text
