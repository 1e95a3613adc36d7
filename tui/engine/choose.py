"""Which engine runs a stack."""

from __future__ import annotations

import asyncio
import importlib
from enum import StrEnum

from tui.engine.interface import Engine, EngineError, EngineGone
from tui.stack.model import Stack


class EngineKind(StrEnum):
    """What `--engine` takes."""

    AUTO = "auto"
    DOCKER = "docker"
    PROCESS = "process"


async def open_engine(stack: Stack, kind: EngineKind = EngineKind.AUTO) -> Engine:
    """The engine for this stack, connected. Raises EngineGone saying what was tried and what to do.

    `auto` takes processes where this stack has some already, else Docker where it answers, else processes.
    """
    # Imported only here: Docker's libraries cost a quarter of a second.
    if kind is EngineKind.PROCESS:
        return await _processes(stack, "asked for")
    if kind is EngineKind.AUTO and _has_processes(stack):
        return await _processes(stack, "this stack runs as processes here")
    # In a thread: a first picture does not wait for that.
    await asyncio.to_thread(importlib.import_module, "tui.engine.docker.engine")
    from tui.engine.docker.engine import DockerEngine

    try:
        return await DockerEngine.open(stack)
    except EngineGone as gone:
        # Whose project has no layout did not ask for processes.
        if kind is EngineKind.DOCKER or stack.layout.source is None:
            raise
        try:
            return await _processes(stack, "Docker does not answer")
        except EngineError as error:
            raise EngineGone(f"{gone}\nNor can it run as processes: {error}") from None


def _has_processes(stack: Stack) -> bool:
    from tui.engine.process.store import has_processes

    return has_processes(stack)


async def _processes(stack: Stack, reason: str) -> Engine:
    from tui.engine.process.engine import ProcessEngine

    return await ProcessEngine.open(stack, reason)
