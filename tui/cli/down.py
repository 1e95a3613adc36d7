"""`sparkdeck down`: stop and remove services and runs."""

from __future__ import annotations

import typer

from tui.actions import down as actions
from tui.actions.replicas import choose
from tui.cli.arguments import Services, Yes
from tui.cli.output import note, tell_progress
from tui.cli.session import Exit, agreed, open_session, verb
from tui.engine.interface import Capability
from tui.jobs.submit import find_runs


@verb
async def down(context: typer.Context, services: Services = None, yes: Yes = False) -> int:
    """Stop and remove services and runs.

    Of services that are named only these, and no run. Mounted folders and images stay.
    """
    async with open_session(context, Capability.CONTROL) as session:
        chosen = await choose(session.engine, session.project, services or [])
        what = ", ".join(chosen.names) or session.stack.name
        steps = actions.remove(session.engine, chosen)
        if chosen.is_everything:
            steps = actions.down(session.engine, session.stack, session.project)
            active = [run.id for run in await find_runs(session.engine) if not run.is_over]
            if active:
                note(f"Still running, and ended by this: {', '.join(active)}", "yellow")
        if not agreed(f"Take {what} down, with its logs?", yes):
            return Exit.FAILED
        await tell_progress(f"Taking {what} down", steps)
        note(actions.what_stays(session.stack, session.project) if chosen.is_everything else "down")
    return Exit.OK
