"""`sparkdeck logs`: what services and runs wrote."""

from __future__ import annotations

from contextlib import aclosing
from datetime import datetime
from typing import Annotated

import typer
from rich.text import Text

from tui.actions.replicas import choose
from tui.cli.arguments import complete_service
from tui.cli.output import out
from tui.cli.session import Exit, fail, open_session, verb
from tui.engine.interface import Replica
from tui.jobs.submit import find_runs
from tui.text import bare, clean
from tui.watch.logs import Tagged, follow, recent
from tui.watch.names import short_name

_COLOURS = ("cyan", "green", "magenta", "yellow", "blue", "bright_cyan", "bright_green", "bright_magenta")


@verb
async def logs(
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
    async with open_session() as session:
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
        single = len(names) == 1
        if follow_on:
            async for entry in follow(session.engine, wanted, count):
                _show(entry, short_name(entry.replica, session.project), single, timestamps)
        else:
            replicas = [replica for replica in await session.engine.replicas() if wanted(replica)]
            async with aclosing(recent(session.engine, replicas, count)) as entries:
                async for entry in entries:
                    _show(entry, short_name(entry.replica, session.project), single, timestamps)
    return Exit.OK


def _show(entry: Tagged, name: str, single: bool, timestamps: bool) -> None:
    text = entry.line.text
    when = datetime.fromtimestamp(entry.line.at_ns / 1e9).astimezone().isoformat(timespec="milliseconds")
    if not out.is_terminal:
        # For grep and friends: plain text, no colours.
        print(*([] if single else [f"{name} |"]), *([when] if timestamps else []), bare(text))
        return
    line = Text()
    if not single:
        line.append(f"{name:18s} | ", style=_COLOURS[sum(name.encode()) % len(_COLOURS)])
    if timestamps:
        line.append(f"{when} ", style="dim")
    out.print(line + Text.from_ansi(clean(text)))
