"""`sparkdeck stacks`: what comes with SparkDeck."""

from __future__ import annotations

import typer

from tui.cli.arguments import Json
from tui.cli.output import print_json, print_table, table
from tui.cli.session import Exit, fail
from tui.stack.catalogue import bundled_stacks
from tui.stack.errors import StackError


def stacks(as_json: Json = False) -> None:
    """List the bundled stacks."""
    try:
        found = bundled_stacks()
    except StackError as error:
        fail(Exit.USAGE, str(error))
    if as_json:
        print_json(
            [
                {
                    "name": stack.name,
                    "title": stack.layout.title if stack.layout else "",
                    "description": stack.layout.description if stack.layout else "",
                    "folder": str(stack.folder),
                    "jobs": [job.name for job in stack.layout.jobs] if stack.layout else [],
                    "variants": [variant.name for variant in stack.layout.variants] if stack.layout else [],
                }
                for stack in found
            ]
        )
        raise typer.Exit
    rows = (
        (
            stack.name,
            stack.layout.title if stack.layout else "",
            ", ".join(variant.name for variant in stack.layout.variants) if stack.layout else "",
            str(stack.folder),
        )
        for stack in found
    )
    print_table(table("stack", "what it is", "variants", "where", rows=rows))
