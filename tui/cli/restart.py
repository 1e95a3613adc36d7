"""`sparkdeck restart`: restart services and wait for them."""

from __future__ import annotations

from tui.actions.start import Phase
from tui.cli.arguments import Services, Timeout, check_services
from tui.cli.output import Teller, tell_progress
from tui.cli.session import open_session, verb
from tui.watch.ready import wait_ready


@verb
async def restart(services: Services = None, timeout: Timeout = 300) -> None:
    """Restart services and wait for health."""
    async with open_session() as session:
        names = check_services(services, list(session.project.services), session.stack.name)
        await tell_progress(f"Restarting {', '.join(names) or session.stack.name}", session.engine.restart(names))
        with Teller() as teller:
            teller.tell(Phase("Waiting for health"))
            async for step in wait_ready(session.engine, session.stack, session.project, names, timeout=timeout):
                teller.tell(step)
