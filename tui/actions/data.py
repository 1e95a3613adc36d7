"""Sample data: made by the stack's own generator, as a run that survives its caller."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence

from tui.actions.start import Note, Phase, Refused, StartUpdate, prepare
from tui.engine.interface import Engine
from tui.jobs.submit import Run, submit
from tui.stack.model import DataSpec, JobKind, JobSpec, Project, Stack

DATA = "data"


def data_spec(stack: Stack) -> DataSpec:
    """How this stack's sample data is made. Raises Refused where its layout does not say."""
    spec = stack.layout.data
    if spec is None:
        raise Refused(f"{stack.name} makes no sample data: its layout has no `data`.")
    return spec


async def before_data(engine: Engine, stack: Stack) -> AsyncGenerator[StartUpdate]:
    """What must be there before the generator can run in a stack that was never started: settings, folders, its image.

    Raises EngineError.
    """
    spec = data_spec(stack)
    for text in await prepare(engine, stack):
        yield Note(text)
    yield Phase(f"Building {spec.service}")
    async for progress in engine.build([spec.service]):
        yield progress


async def make_data(engine: Engine, project: Project, spec: DataSpec, args: Sequence[str] = ()) -> Run:
    """Starts the generator with the caller's arguments after the layout's. Raises EngineError."""
    return await submit(engine, project, JobSpec(DATA, spec.service, kind=JobKind.RUN, command=spec.command), args)
