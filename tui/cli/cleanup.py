"""`sparkdeck cleanup`: remove what a stack left on this machine."""

from __future__ import annotations

from typing import Annotated

import typer

from tui.actions.cleanup import empty, mounted_folders
from tui.cli.arguments import Json, Yes
from tui.cli.output import note, print_json, print_table, say, size, table, tell_progress
from tui.cli.session import Exit, fail, open_session, verb
from tui.jobs.journal import journal_file


@verb
async def cleanup(
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
    async with open_session() as session:
        found = await session.engine.removables()
        mounted = await mounted_folders(session.stack, session.project)
        doomed = [(item.kind, item.name, item.size) for item in found]
        journal = journal_file(session.stack, session.project)
        if journal.is_file():
            doomed.append(("past runs", str(journal), journal.stat().st_size))
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
        say(f"{size(total)} in all; layers that images share are counted with each of them")
        if mounted and not folders:
            kept = ", ".join(f"{folder.path} ({size(folder.size)})" for folder in mounted)
            note(f"kept: {kept}. To empty these too: --folders")
        if dry_run or (not yes and not typer.confirm("Remove these?", err=True)):
            return Exit.OK
        await tell_progress("Removing", session.engine.remove_all())
        journal.unlink(missing_ok=True)
        for folder in mounted if folders else ():
            try:
                await empty(folder)
            except OSError as error:
                fail(Exit.FAILED, f"{folder.path} could not be emptied: {error.strerror} ({error.filename})")
        note("removed")
        return Exit.OK
