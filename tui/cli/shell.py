"""`sparkdeck shell` and `sparkdeck spark-shell`: a terminal inside a service."""

from __future__ import annotations

import asyncio
import sys
from typing import Annotated

import typer

from tui.actions.replicas import choose
from tui.cli.arguments import complete_service
from tui.cli.session import Choice, Exit, fail, open_session, verb
from tui.engine.interface import Capability, State
from tui.watch.session import Session


async def _enter(session: Session, name: str, command: list[str]) -> int:
    chosen = await choose(session.engine, session.project, [name])
    running = [item for item in await session.engine.replicas() if item.state is State.RUNNING and not item.is_run]
    if not any(chosen.includes(item) for item in running):
        fail(Exit.FAILED, f"{name} is not running. Start it: sparkdeck up {name}")
    if not command and not sys.stdin.isatty():
        fail(
            Exit.USAGE,
            "A shell needs a terminal. To run a command without one: sparkdeck shell SERVICE -- COMMAND",
        )
    replica = chosen.replicas[0].id if chosen.replicas else None
    argv = await session.engine.shell_command(
        chosen.all_services[0], command, terminal=sys.stdin.isatty(), replica_id=replica
    )
    process = await asyncio.create_subprocess_exec(*argv)
    return await process.wait()


@verb
async def shell(
    context: typer.Context,
    service: Annotated[
        str | None,
        typer.Argument(
            metavar="[SERVICE|REPLICA]",
            help="Which; without it the job client.",
            autocompletion=complete_service,
        ),
    ] = None,
) -> int:
    """Open a shell in a service.

    Or run a command there: shell SERVICE -- COMMAND
    """
    async with open_session(context, Capability.INSIDE) as session:
        return await _enter(session, service or session.stack.shell_service(session.project), Choice.of(context).rest)


@verb
async def spark_shell(
    context: typer.Context,
    python: Annotated[bool, typer.Option("--python", help="PySpark instead of Scala.")] = False,
) -> int:
    """Open a Spark shell on the cluster.

    More arguments go to it: spark-shell --conf spark.cores.max=2
    """
    async with open_session(context, Capability.INSIDE) as session:
        command = ["pyspark" if python else "spark-shell", *context.args, *Choice.of(context).rest]
        return await _enter(session, session.stack.shell_service(session.project), command)
