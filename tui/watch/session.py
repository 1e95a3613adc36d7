"""One opened stack: its engine, its project and its watch. The deck and the verbs open it here; several may be open.

While it is watched it goes with its files: what is added to them is there a moment later.
"""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from tui.engine.choose import open_engine
from tui.engine.interface import Engine, EngineError, EngineGone
from tui.stack.catalogue import compose_files
from tui.stack.errors import LayoutError, StackError
from tui.stack.fingerprint import fingerprint
from tui.stack.layout import LAYOUT_NAME, check_against
from tui.stack.model import NO_LAYOUT, Project, Stack
from tui.stack.roles import detect_layout
from tui.stack.variables import demand_variables
from tui.stack.yamlfile import read_yaml

if TYPE_CHECKING:
    from tui.watch.live import StackWatch

OpenEngine = Callable[[Stack], Awaitable[Engine]]

# How often the stack's files are looked at, in seconds: a folder that is taken away and put back is the same to that.
# What could not be read is read again.
LOOK_SECONDS, AGAIN_SECONDS = 1.0, 3.0


class Session:
    """`await Session.open(find)`, then use it; `await close()` gives everything back, and the stack goes on.

    `stack` has its layout: its own, or one of roles that were detected. `watch` is there once `look` was awaited; from
    then on `stack` and `project` are others whenever the files have changed. Where these cannot be read `stale` says
    why, and the last ones that could stay. `version` changes with all of that.
    """

    watch: StackWatch

    def __init__(self, engine: Engine, stack: Stack, project: Project) -> None:
        self.engine = engine
        self.stack = stack
        self.project = project
        self.stale = ""
        self.version = 0
        self._find: Callable[[], Stack] = lambda: stack
        self._stamp: Mapping[Path, object] = {}

    @classmethod
    async def open(
        cls,
        find: Callable[[], Stack],
        open_engine: OpenEngine = open_engine,
        *,
        starting: bool = False,
        tell: Callable[[str], None] = lambda text: None,
    ) -> Session:
        """Opens the stack that `find` finds, and finds again when its files change.

        Raises StackError where these are wrong, EngineError where its engine does not answer. Unless it is `starting`,
        what runs of it can be seen and ended nevertheless: as its engine remembers it, and `stale` says why.

        One that is `starting` gets the credentials that its compose files demand and its layout generates; `tell` is
        called with what was made.
        """
        trouble: StackError | None = None
        try:
            stack = find()
        except LayoutError as error:
            if starting or error.bare is None:
                raise
            trouble, stack = error, error.bare
        stamp = await asyncio.to_thread(_look_at, stack)
        try:
            for text in demand_variables(stack, starting=starting):
                tell(text)
        except StackError as error:
            if starting:
                raise
            trouble = trouble or error
        engine = await open_engine(stack)
        try:
            stack, project, stale = await _read(engine, stack, trouble, starting=starting)
            session = cls(engine, stack, project)
            session._find, session._stamp, session.stale = find, stamp, stale
            return session
        except BaseException:
            with suppress(EngineError, OSError):
                await engine.close()
            raise

    async def look(self) -> None:
        """Begins to watch the stack and its files."""
        await asyncio.to_thread(importlib.import_module, "tui.watch.live")
        from tui.watch.live import StackWatch

        self.watch = StackWatch(self.engine, self.stack, self.project)
        await self.watch.start()
        self.watch.supervisor.keep("the look at the stack's files", self._follow_files)

    async def close(self) -> None:
        """Ends the watch and gives the engine back."""
        if hasattr(self, "watch"):
            await self.watch.close()
        await self.engine.close()

    async def _follow_files(self) -> None:
        while True:
            await asyncio.sleep(AGAIN_SECONDS if self.stale else LOOK_SECONDS)
            stamp = await asyncio.to_thread(_look_at, self.stack)
            if (self.stale or stamp != self._stamp) and await self._reload():
                self._stamp = stamp

    async def _reload(self) -> bool:
        """Takes over what the files say now. False: ask again."""
        try:
            if not self.stack.folder.is_dir():
                raise StackError(f"The folder {self.stack.folder} was deleted. What runs goes on.")
            stack = await asyncio.to_thread(self._find)
            if stack.files != self.stack.files:
                names = ", ".join(file.name for file in stack.files)
                raise StackError(f"{stack.name} has other compose files now ({names}): start SparkDeck again for them.")
            demand_variables(stack)
            project = await self.engine.project()
            stack = with_roles(stack, project)
        except EngineGone:
            return False
        except StackError as error:
            stale = str(error)
        except EngineError as error:
            stale = await asyncio.to_thread(_broken, self.stack.files) or str(error)
        else:
            stale = ""
            if (stack, project) != (self.stack, self.project):
                self.stack, self.project = stack, project
                self.version += 1
                self.watch.renew(stack, project)
        if stale != self.stale:
            self.stale = stale
            self.version += 1
        return True


async def _read(
    engine: Engine, stack: Stack, trouble: StackError | EngineError | None, *, starting: bool
) -> tuple[Stack, Project, str]:
    """The stack with its roles, its project, and why these are only as the engine remembers them, or empty."""
    if trouble is None:
        try:
            project = await engine.project()
            return with_roles(stack, project), project, ""
        except EngineGone:
            raise
        except (StackError, EngineError) as error:
            broken = await asyncio.to_thread(_broken, stack.files) if isinstance(error, EngineError) else ""
            trouble = StackError(broken) if broken else error
    known = None
    if isinstance(trouble, LayoutError):
        # Its compose files may be right.
        with suppress(EngineError):
            project = await engine.project()
            known = project if any(not one.is_run for one in await engine.replicas()) else None
    if known is None and not starting:
        known = await engine.remembered()
    if known is None:
        raise trouble
    layout = detect_layout(known) if stack.layout == NO_LAYOUT else stack.layout
    return replace(stack, layout=layout), known, str(trouble)


def _broken(files: Iterable[Path]) -> str:
    """Where these are no YAML, by file and line: compose does not always say it."""
    documents = [read_yaml(file) for file in files]
    return "\n".join(str(problem) for one in documents if one.data is None for problem in one.problems)


def _look_at(stack: Stack) -> Mapping[Path, object]:
    """What tells whether any file of a stack has changed, or one has come that would belong to it."""
    layout = stack.layout.source or stack.folder / LAYOUT_NAME
    return fingerprint(replace(stack, files=(*stack.files, *compose_files(stack.folder), layout)))


def with_roles(stack: Stack, project: Project) -> Stack:
    """A stack whose layout fits its project: detected where it brings none. Raises StackError with each misfit."""
    if stack.layout == NO_LAYOUT:
        return replace(stack, layout=detect_layout(project))
    if problems := check_against(stack.layout, project):
        raise StackError("\n".join(str(problem) for problem in problems))
    return stack
