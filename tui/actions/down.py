"""Taking a stack down: its runs are written down first."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress

from tui.actions.replicas import Chosen
from tui.engine.interface import Engine, EngineError, Progress
from tui.jobs.journal import history
from tui.jobs.submit import Run, find_runs
from tui.stack.environment import work_folder, work_folders
from tui.stack.model import Project, Stack


async def down(engine: Engine, stack: Stack, project: Project) -> AsyncGenerator[Progress]:
    """Stops and removes every service and run; mounted folders, volumes and images stay."""
    going_on = [run for run in await find_runs(engine) if not run.is_over]
    for run in going_on:
        yield Progress(f"{run.id} is ended")
    # Before they are removed, or nobody could tell how they ended.
    await asyncio.gather(*(_end(engine, run) for run in going_on))
    troubles: list[str] = []
    with suppress(EngineError):
        await history(engine, stack, troubles.append)
    for trouble in troubles:
        yield Progress(trouble)
    async for step in engine.down():
        yield step


def what_stays(stack: Stack, project: Project) -> str:
    """What is left of a stack that is down: its data."""
    kept = [f"data and results stay in {work_folder(stack)}"] if work_folders(stack, project) else []
    if project.volumes:
        kept.append(f"volumes stay: {', '.join(project.volumes)} (sparkdeck cleanup names them)")
    return "; ".join(["down", *kept])


async def remove(engine: Engine, chosen: Chosen) -> AsyncGenerator[Progress]:
    """Stops and removes the replicas of what is chosen, with their logs."""
    for replica in await engine.replicas():
        if chosen.includes(replica) and not replica.is_run:
            yield Progress(f"{replica.name} is stopped and removed")
            await engine.end(replica.id)
            await engine.remove(replica.id)


async def _end(engine: Engine, run: Run) -> None:
    # It may have ended by itself meanwhile; what else is wrong `down` will say.
    with suppress(EngineError):
        await engine.end(run.replica.id)
