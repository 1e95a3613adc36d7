"""`sparkdeck up`: start services."""

from __future__ import annotations

from typing import Annotated

import typer

from tui.actions.start import start
from tui.cli.arguments import Services, Timeout, check_services
from tui.cli.open import show_links
from tui.cli.output import tell_all
from tui.cli.session import open_session, verb


@verb
async def up(
    services: Services = None,
    recreate: Annotated[bool, typer.Option("--recreate", help="Replace replicas even if nothing changed.")] = False,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Wait until all are healthy.")] = True,
    timeout: Timeout = 300,
) -> None:
    """Start services and wait for health.

    With them starts what they depend on; missing images are built.
    """
    async with open_session() as session:
        names = check_services(services, list(session.project.services), session.stack.name)
        await tell_all(start(session.engine, session.stack, names, recreate=recreate, wait=wait, timeout=timeout))
        await show_links(session)
