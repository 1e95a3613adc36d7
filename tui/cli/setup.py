"""`sparkdeck setup`: from nothing to a stack that runs."""

from __future__ import annotations

from typing import Annotated

import typer

from tui.actions.start import start
from tui.cli.arguments import Timeout
from tui.cli.open import show_links
from tui.cli.output import tell_all
from tui.cli.session import open_session, verb
from tui.engine.interface import Capability


@verb
async def setup(
    context: typer.Context,
    fresh: Annotated[bool, typer.Option("--fresh", help="Build without any cache.")] = False,
    timeout: Timeout = 300,
) -> None:
    """Build and start the stack, from nothing.

    Checks it, makes its folders and .env, builds, starts, waits for health, shows the links.
    """
    async with open_session(context, Capability.CONTROL, Capability.BUILD, starting=True) as session:
        await tell_all(start(session.engine, session.stack, build=True, fresh=fresh, timeout=timeout))
        await show_links(session)
