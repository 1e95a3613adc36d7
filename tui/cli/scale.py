"""`sparkdeck scale`: more workers or fewer."""

from __future__ import annotations

from typing import Annotated

import typer

from tui.actions.scale import scale as scale_workers
from tui.cli.output import tell_all
from tui.cli.session import open_session, verb
from tui.engine.interface import Capability


@verb
async def scale(
    context: typer.Context,
    count: Annotated[int, typer.Argument(metavar="N", min=1, help="How many workers in all.")],
    timeout: Annotated[float, typer.Option(help="How long running tasks may take to end, in seconds.")] = 600,
) -> None:
    """Bring the cluster to N workers.

    Those that go finish their running tasks first.
    """
    async with open_session(context, Capability.SCALE) as session:
        await tell_all(scale_workers(session.engine, session.stack, count, timeout=timeout))
