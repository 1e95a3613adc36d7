"""`sparkdeck data`: sample data for the stack's jobs."""

from __future__ import annotations

import typer

from tui.actions.data import before_data, data_spec, make_data
from tui.cli.output import note, tell_all
from tui.cli.session import Choice, open_session, verb
from tui.cli.tell import tell_run
from tui.engine.interface import Capability


@verb
async def data(context: typer.Context) -> int:
    """Make sample data for the jobs.

    Arguments go to the stack's generator: data --rows 1000000; data -- --help shows them.
    """
    async with open_session(context, Capability.RUNS, starting=True) as session:
        spec = data_spec(session.stack)
        if spec.before_start:
            await tell_all(before_data(session.engine, session.stack))
        run = await make_data(session.engine, session.project, spec, [*context.args, *Choice.of(context).rest])
        folder = session.project.host_path(spec.service, spec.folder)
        note(f"making data in {folder or spec.folder} as {run.id}")
        code, _ = await tell_run(session, run, verbose=True)
        return code
