"""Cleaning up: what the engine and the journal keep of a stack; only when told, what lies in its mounted folders."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from pathlib import Path

from tui.engine.interface import Engine, Progress, Removable
from tui.jobs.journal import journal_file
from tui.stack.environment import work_folders
from tui.stack.model import Project, Stack


@dataclass(frozen=True, slots=True)
class Folder:
    """A mounted folder of the stack with its size in bytes."""

    path: Path
    size: int


async def removables(engine: Engine, stack: Stack, project: Project) -> list[Removable]:
    """What `clean` would remove: what the engine keeps, and the history of past runs."""
    found = await engine.removables()
    journal = journal_file(stack)
    if journal.is_file():
        found.append(Removable("history", "", str(journal), journal.stat().st_size))
    return found


async def clean(engine: Engine, stack: Stack, project: Project) -> AsyncGenerator[Progress]:
    """Removes everything of the stack but its mounted folders. Raises EngineError, OSError."""
    async for step in engine.remove_all():
        yield step
    journal = journal_file(stack)
    if journal.is_file():
        journal.unlink(missing_ok=True)
        yield Progress(f"{journal} removed")


async def mounted_folders(stack: Stack, project: Project) -> list[Folder]:
    """The folders below the stack's work folder that services write to and that hold anything."""

    def measure() -> list[Folder]:
        found = []
        for path in work_folders(stack, project):
            if path.is_dir():
                sizes = [item.lstat().st_size for item in path.rglob("*") if item.is_file() or item.is_symlink()]
                if sizes:
                    found.append(Folder(path, sum(sizes)))
        return found

    return await asyncio.to_thread(measure)


async def empty(folder: Folder) -> None:
    """Removes what is in a mounted folder; the folder itself stays, so that its owner stays. Raises OSError."""

    def remove() -> None:
        for item in folder.path.iterdir():
            if item.is_dir() and not item.is_symlink():
                shutil.rmtree(item)
            else:
                item.unlink()

    await asyncio.to_thread(remove)
