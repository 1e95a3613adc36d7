"""One opened stack: its engine, its project and its watch. The deck and the verbs open it here; several may be open."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from tui.engine.choose import open_engine
from tui.engine.interface import Engine, EngineError
from tui.stack.errors import StackError
from tui.stack.layout import check_against
from tui.stack.model import Project, Stack
from tui.stack.roles import detect_layout
from tui.stack.variables import demand_variables

if TYPE_CHECKING:
    from tui.watch.live import StackWatch

OpenEngine = Callable[[Stack], Awaitable[Engine]]


class Session:
    """`await Session.open(stack)`, then use it; `await close()` gives everything back, and the stack goes on.

    `stack` has its layout: its own, or one of roles that were detected. `watch` is there once `look` was awaited.
    """

    watch: StackWatch

    def __init__(self, engine: Engine, stack: Stack, project: Project) -> None:
        self.engine = engine
        self.stack = stack
        self.project = project

    @classmethod
    async def open(
        cls,
        stack: Stack,
        open_engine: OpenEngine = open_engine,
        *,
        starting: bool = False,
        tell: Callable[[str], None] = lambda text: None,
    ) -> Session:
        """Opens a stack. Raises StackError where its files are wrong, EngineError where its engine does not answer.

        One that is `starting` gets the credentials that its compose files demand and its layout generates; `tell` is
        called with what was made.
        """
        for text in demand_variables(stack, starting=starting):
            tell(text)
        engine = await open_engine(stack)
        try:
            project = await engine.project()
            return cls(engine, with_roles(stack, project), project)
        except BaseException:
            with suppress(EngineError, OSError):
                await engine.close()
            raise

    async def look(self) -> None:
        """Begins to watch."""
        await asyncio.to_thread(importlib.import_module, "tui.watch.live")
        from tui.watch.live import StackWatch

        self.watch = StackWatch(self.engine, self.stack, self.project)
        await self.watch.start()

    async def close(self) -> None:
        """Ends the watch and gives the engine back."""
        if hasattr(self, "watch"):
            await self.watch.close()
        await self.engine.close()


def with_roles(stack: Stack, project: Project) -> Stack:
    """A stack whose layout fits its project: detected where it brings none. Raises StackError with each misfit."""
    if stack.layout is None:
        return replace(stack, layout=detect_layout(project))
    if problems := check_against(stack.layout, project):
        raise StackError("\n".join(str(problem) for problem in problems))
    return stack
