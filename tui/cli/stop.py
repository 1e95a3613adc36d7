"""`sparkdeck stop`: stop services, keep everything."""

from __future__ import annotations

import typer

from tui.actions import replicas
from tui.cli.arguments import Services
from tui.cli.output import note, tell_progress
from tui.cli.session import open_session, verb
from tui.engine.interface import Capability


@verb
async def stop(context: typer.Context, services: Services = None) -> None:
    """Stop services; everything stays.

    `up` starts them again.
    """
    async with open_session(context, Capability.CONTROL) as session:
        chosen = await replicas.choose(session.engine, session.project, services or [])
        what = ", ".join(chosen.names) or session.stack.name
        await tell_progress(f"Stopping {what}", replicas.stop(session.engine, chosen))
        note("stopped")
