"""`sparkdeck cleanup`: remove what a stack left on this machine."""

from __future__ import annotations

from typing import Annotated

import typer

from tui.actions.cleanup import clean, empty, mounted_folders, removables
from tui.cli.arguments import Json, Yes
from tui.cli.output import note, print_json, print_table, say, table, tell_progress
from tui.cli.session import Exit, agreed, fail, open_session, verb
from tui.engine.interface import Capability
from tui.watch.words import size


@verb
async def cleanup(
    context: typer.Context,
    folders: Annotated[
        bool, typer.Option("--folders", help="Empty the work folder's mounted folders too: data, results, notebooks.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", "-n", help="Only list.")] = False,
    yes: Yes = False,
    as_json: Json = False,
) -> int:
    """Remove what the stack left here.

    Lists it with sizes and asks first. Mounted folders stay unless told.
    """
    async with open_session(context, Capability.CLEANUP) as session:
        found = await removables(session.engine, session.stack, session.project)
        mounted = await mounted_folders(session.stack, session.project)
        doomed = [(item.kind, item.name, item.size) for item in found]
        doomed += [("folder", str(folder.path), folder.size) for folder in mounted if folders]
        if as_json:
            print_json([{"kind": kind, "name": name, "size": count} for kind, name, count in doomed])
            return Exit.OK
        if not doomed:
            say(f"nothing of {session.stack.name} to remove")
            return Exit.OK
        rows = ((kind, name, size(count)) for kind, name, count in doomed)
        print_table(table("what", "name", "size", rows=rows, right=("size",)))
        total = sum(count or 0 for _, _, count in doomed)
        least = "at least " if any(count is None for _, _, count in doomed) else ""
        say(f"{least}{size(total)} in all; layers that images share are counted with each of them")
        if mounted and not folders:
            kept = ", ".join(f"{folder.path} ({size(folder.size)})" for folder in mounted)
            note(f"kept: {kept}. To empty these too: --folders")
        if dry_run or not agreed("Remove these?", yes):
            return Exit.OK
        await tell_progress("Removing", clean(session.engine, session.stack, session.project))
        for folder in mounted if folders else ():
            try:
                await empty(folder)
            except OSError as error:
                fail(Exit.FAILED, f"{folder.path} could not be emptied: {error.strerror} ({error.filename})")
        note("removed")
        return Exit.OK
