"""`sparkdeck down`: stop and remove the stack's services and runs."""

from __future__ import annotations

import typer

from tui.actions.down import down as down_stack
from tui.cli.arguments import Yes
from tui.cli.output import note, tell_progress
from tui.cli.session import Exit, open_session, verb
from tui.engine.interface import Capability
from tui.jobs.submit import find_runs


@verb
async def down(yes: Yes = False) -> int:
    """Stop and remove services and runs.

    Mounted folders and images stay.
    """
    async with open_session(Capability.CONTROL) as session:
        active = [run.id for run in await find_runs(session.engine) if not run.is_over]
        if active and not yes:
            note(f"Still running, and ended by this: {', '.join(active)}", "yellow")
            if not typer.confirm("Go on?", err=True):
                return Exit.FAILED
        await tell_progress(
            f"Taking {session.stack.name} down", down_stack(session.engine, session.stack, session.project)
        )
        note(f"down; data and results stay in {session.stack.home}")
    return Exit.OK
