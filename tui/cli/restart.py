"""`sparkdeck restart`: restart services and wait for them."""

from __future__ import annotations

import typer

from tui.actions import replicas
from tui.actions.start import Phase
from tui.cli.arguments import Services, Timeout
from tui.cli.output import Teller
from tui.cli.session import open_session, verb
from tui.engine.interface import Capability


@verb
async def restart(context: typer.Context, services: Services = None, timeout: Timeout = 300) -> None:
    """Restart services and wait for health."""
    async with open_session(context, Capability.CONTROL) as session:
        engine, project = session.engine, session.project
        chosen = await replicas.choose(engine, project, services or [])
        with Teller() as teller:
            teller.tell(Phase(f"Restarting {', '.join(chosen.names) or session.stack.name}"))
            async for update in replicas.restart(engine, session.stack, project, chosen, timeout=timeout):
                teller.tell(update)
