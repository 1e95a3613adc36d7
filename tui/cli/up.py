"""`sparkdeck up`: start services."""

from __future__ import annotations

from typing import Annotated

import typer

from tui.actions import replicas
from tui.cli.arguments import Services, Timeout
from tui.cli.open import show_links
from tui.cli.output import tell_all
from tui.cli.session import open_session, verb
from tui.engine.interface import Capability


@verb
async def up(
    context: typer.Context,
    services: Services = None,
    recreate: Annotated[bool, typer.Option("--recreate", help="Replace replicas even if nothing changed.")] = False,
    build: Annotated[bool, typer.Option("--build", help="Build the images first.")] = False,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Wait until all are healthy.")] = True,
    timeout: Timeout = 300,
) -> None:
    """Start services and wait for health.

    With them starts what they depend on; missing images are built.
    """
    async with open_session(
        context, Capability.CONTROL, *([Capability.BUILD] if build else []), starting=True
    ) as session:
        chosen = await replicas.choose(session.engine, session.project, services or [])
        await tell_all(
            replicas.start(
                *(session.engine, session.stack, session.project, chosen),
                timeout=timeout,
                recreate=recreate,
                build=build,
                wait=wait,
            )
        )
        await show_links(session)
