"""`sparkdeck stacks`: what comes with SparkDeck."""

from __future__ import annotations

from tui.cli.arguments import Json
from tui.cli.output import print_json, print_table, table
from tui.cli.session import verb
from tui.stack.catalogue import bundled_stacks


@verb
async def stacks(as_json: Json = False) -> None:
    """List the bundled stacks."""
    found = bundled_stacks()
    if as_json:
        print_json(
            [
                {
                    "name": stack.name,
                    "title": stack.layout.title,
                    "description": stack.layout.description,
                    "folder": str(stack.folder),
                    "jobs": [job.name for job in stack.layout.jobs],
                    "variants": [variant.name for variant in stack.layout.variants],
                }
                for stack in found
            ]
        )
        return
    rows = (
        (
            stack.name,
            stack.layout.title,
            ", ".join(variant.name for variant in stack.layout.variants),
            str(stack.folder),
        )
        for stack in found
    )
    print_table(table("stack", "what it is", "variants", "where", rows=rows))
