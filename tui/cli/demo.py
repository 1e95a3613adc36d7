"""`sparkdeck demo`: the stack's main job from nothing."""

from __future__ import annotations

from typing import Annotated

import typer

from tui.actions.data import data_spec, has_data, make_data
from tui.actions.start import start
from tui.cli.arguments import Timeout
from tui.cli.follow import tell_run
from tui.cli.open import show_links
from tui.cli.output import note, tell_all
from tui.cli.session import open_session, verb
from tui.cli.submit import submit_job
from tui.jobs.submit import find_job


@verb
async def demo(
    job: Annotated[str | None, typer.Argument(help="Another job than the default one.")] = None,
    timeout: Timeout = 300,
) -> int:
    """Everything, from nothing to a result.

    Starts the stack, makes sample data if there is none, runs its job, shows the result. The exit code is the job's.
    """
    async with open_session() as session:
        spec = find_job(session.stack, session.project, job)
        await tell_all(start(session.engine, session.stack, timeout=timeout))
        if session.stack.layout and session.stack.layout.data:
            data = data_spec(session.stack)
            if not has_data(session.project, data):
                note("making sample data")
                run = await make_data(session.engine, session.project, data)
                code, _ = await tell_run(session, run, verbose=True)
                if code:
                    return code
        run = await submit_job(session, spec, [], {}, {})
        code, _ = await tell_run(session, run)
        await show_links(session)
        note(f"The stack goes on. Stop it: sparkdeck --stack {session.stack.name} stop; remove it: ... down")
        return code
