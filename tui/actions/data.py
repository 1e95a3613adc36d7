"""Sample data: made by the stack's own generator, as a run that survives its caller."""

from __future__ import annotations

from collections.abc import Sequence

from tui.actions.start import Refused
from tui.engine.interface import Engine
from tui.jobs.submit import Run, new_run_id, start_run
from tui.stack.model import DataSpec, Project, Stack

DATA = "data"


def data_spec(stack: Stack) -> DataSpec:
    """How this stack's sample data is made. Raises Refused where its layout does not say."""
    spec = stack.layout.data if stack.layout else None
    if spec is None:
        raise Refused(f"{stack.name} makes no sample data: its layout has no `data`.")
    return spec


def has_data(project: Project, spec: DataSpec) -> bool:
    """Whether the data folder holds anything; hidden files do not count."""
    folder = project.host_path(spec.service, spec.folder)
    if folder is None or not folder.is_dir():
        return False
    return any(not entry.name.startswith((".", "_")) and not entry.name.endswith(".part") for entry in folder.iterdir())


async def make_data(engine: Engine, project: Project, spec: DataSpec, args: Sequence[str] = ()) -> Run:
    """Starts the generator with the caller's arguments after the layout's. Raises EngineError."""
    command = [*spec.command, *args]
    return await start_run(engine, project, spec.service, DATA, new_run_id(DATA), command, args, {})
