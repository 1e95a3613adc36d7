"""Which engine runs a stack."""

from __future__ import annotations

from tui.engine.interface import Engine
from tui.stack.model import Stack


async def open_engine(stack: Stack) -> Engine:
    """The engine for this stack, connected. Raises EngineGone saying what was tried and what to do."""
    # Imported only here: Docker's libraries cost a quarter of a second.
    from tui.engine.docker.engine import DockerEngine

    return await DockerEngine.open(stack)
