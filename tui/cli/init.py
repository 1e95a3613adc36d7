"""`sparkdeck init`: a bundled stack to edit."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tui.cli.output import say
from tui.cli.session import chosen_stack, verb
from tui.stack.catalogue import copy_out


@verb
async def init(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A folder that does not exist or is empty.")],
) -> None:
    """Copy a bundled stack out for editing.

    `--stack` before the verb says which.
    """
    stack = chosen_stack(context)
    files = copy_out(stack, folder)
    say(f"{stack.name} was copied to {folder} ({len(files)} files). Start it: cd {folder} && sparkdeck setup")
