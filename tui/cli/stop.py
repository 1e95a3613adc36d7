"""`sparkdeck stop`: stop services, keep everything."""

from __future__ import annotations

from tui.cli.arguments import Services, check_services
from tui.cli.output import note, tell_progress
from tui.cli.session import open_session, verb


@verb
async def stop(services: Services = None) -> None:
    """Stop services; everything stays.

    `up` starts them again.
    """
    async with open_session() as session:
        names = check_services(services, list(session.project.services), session.stack.name)
        await tell_progress(f"Stopping {', '.join(names) or session.stack.name}", session.engine.stop(names))
        note("stopped")
