"""`sparkdeck demo`: the stack's main job from nothing."""

from __future__ import annotations

from typing import Annotated

import typer

from tui.actions.data import before_data, make_data
from tui.actions.start import start
from tui.cli.arguments import Timeout
from tui.cli.open import show_links
from tui.cli.output import note, tell_all
from tui.cli.session import open_session, verb
from tui.cli.submit import submit_job
from tui.cli.tell import tell_run
from tui.engine.interface import Capability
from tui.jobs.find import find_job
from tui.stack.environment import has_data
from tui.stack.model import DataSpec
from tui.watch.session import Session


@verb
async def demo(
    context: typer.Context,
    job: Annotated[str | None, typer.Argument(help="Another job than the default one.")] = None,
    timeout: Timeout = 300,
) -> int:
    """Everything, from nothing to a result.

    Starts the stack, makes sample data if there is none, runs its job, shows the result. The exit code is the job's.
    """
    async with open_session(context, Capability.CONTROL, Capability.BUILD, Capability.RUNS, starting=True) as session:
        spec = find_job(session.stack, session.project, job)
        made = session.stack.layout.data
        if made and made.before_start and (code := await _sample_data(session, made)):
            return code
        await tell_all(start(session.engine, session.stack, timeout=timeout))
        if made and not made.before_start and (code := await _sample_data(session, made)):
            return code
        run = await submit_job(session, spec, [], {}, {})
        code, _ = await tell_run(session, run)
        await show_links(session)
        note(f"The stack goes on. Stop it: sparkdeck --stack {session.stack.name} stop; remove it: ... down")
        return code


async def _sample_data(session: Session, spec: DataSpec) -> int:
    """Makes sample data where there is none; the exit code of that."""
    if has_data(session.project, spec):
        return 0
    if spec.before_start:
        await tell_all(before_data(session.engine, session.stack))
    note("making sample data")
    code, _ = await tell_run(session, await make_data(session.engine, session.project, spec), verbose=True)
    return code
