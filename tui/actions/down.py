"""Taking a stack down, and removing it: its runs are written down first."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from tui.engine.interface import Engine, Progress
from tui.jobs.journal import remember
from tui.stack.model import Project, Stack


async def down(engine: Engine, stack: Stack, project: Project) -> AsyncGenerator[Progress]:
    """Stops and removes every service and run; mounted folders, volumes and images stay."""
    await remember(engine, stack, project)
    async for step in engine.down():
        yield step
