"""`sparkdeck doctor`: what is wrong, or soon will be, and what to do about it."""

from __future__ import annotations

import typer
from rich.text import Text

from tui.checks.everything import check_everything
from tui.checks.ourselves import check_written
from tui.checks.situation import Situation
from tui.cli.arguments import Json
from tui.cli.output import note, out, print_json
from tui.cli.session import Exit, open_session, verb
from tui.text import bare
from tui.watch.cluster import look_at_cluster
from tui.watch.role_lines import role_lines


@verb
async def doctor(context: typer.Context, as_json: Json = False) -> int:
    """Say what is wrong and what to do about it.

    The exit code is 1 if anything is.
    """
    async with open_session(context) as session:
        replicas = await session.engine.replicas()
        cluster = await look_at_cluster(session.engine, session.stack, session.project, replicas)
        says = await role_lines(session.engine, session.stack, session.project, replicas, cluster)
        now = Situation(session.stack, session.project, replicas, cluster, session.engine.info, says=says)
        findings = [*check_written(), *await check_everything(session.engine, now)]
    if as_json:
        print_json([{"service": one.service, "what": one.what, "remedy": one.remedy} for one in findings])
    for one in [] if as_json else findings:
        out.print(Text.assemble(("✗ ", "red"), (bare(one.what), "bold")), Text(f"  {bare(one.remedy)}"), sep="\n")
    if not findings and not as_json:
        note("nothing is wrong that could be seen", "green")
    return Exit.FAILED if findings else Exit.OK
