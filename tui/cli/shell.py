"""`sparkdeck shell` and `sparkdeck spark-shell`: a terminal inside a service."""

from __future__ import annotations

import asyncio
import sys
from typing import Annotated

import typer

from tui.cli.arguments import complete_service
from tui.cli.session import Exit, Session, choice, fail, open_session, verb
from tui.engine.interface import State
from tui.stack.model import Role


async def _enter(session: Session, service: str, command: list[str]) -> int:
    running = {item.service for item in await session.engine.replicas() if item.state is State.RUNNING}
    if service not in running:
        fail(Exit.FAILED, f"{service} is not running. Start it: sparkdeck up {service}")
    if not command and not sys.stdin.isatty():
        fail(
            Exit.USAGE,
            "A shell needs a terminal. To run a command without one: sparkdeck shell SERVICE -- COMMAND",
        )
    argv = await session.engine.shell_command(service, command, terminal=sys.stdin.isatty())
    process = await asyncio.create_subprocess_exec(*argv)
    return await process.wait()


def _client(session: Session) -> str:
    """The service that jobs are submitted from, else the first one."""
    layout = session.stack.layout
    for name in session.project.services:
        if layout and layout.service(name).role is Role.SPARK_CLIENT:
            return name
    return next(iter(session.project.services))


@verb
async def shell(
    service: Annotated[
        str | None, typer.Argument(help="Which; without it the job client.", autocompletion=complete_service)
    ] = None,
) -> int:
    """Open a shell in a service.

    Or run a command there: shell SERVICE -- COMMAND
    """
    async with open_session() as session:
        name = service or _client(session)
        if name not in session.project.services:
            known = ", ".join(session.project.services)
            fail(Exit.USAGE, f"{session.stack.name} has no service {name!r}. It has: {known}.")
        return await _enter(session, name, choice.rest)


@verb
async def spark_shell(
    context: typer.Context,
    python: Annotated[bool, typer.Option("--python", help="PySpark instead of Scala.")] = False,
) -> int:
    """Open a Spark shell on the cluster.

    More arguments go to it: spark-shell --conf spark.cores.max=2
    """
    async with open_session() as session:
        return await _enter(
            session, _client(session), ["pyspark" if python else "spark-shell", *context.args, *choice.rest]
        )
