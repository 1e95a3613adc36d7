"""What is made once for this user and shared between his stacks: Python environments and builds.

CACHE/environments/KEY/       lock       held by whoever makes or removes it, and by what he runs for that
                              made/      the environment itself
                              made.json  there as soon as it is whole: what it is
                              users/     a file for each copy of a stack that uses it, which says where that copy is
CACHE/builds/NAME-KEY/        the same
"""

from __future__ import annotations

import asyncio
import errno
import re
import shutil
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from platformdirs import user_cache_path

from tui.engine import child
from tui.engine.interface import EngineError, EngineGone, Progress, Removable, State
from tui.engine.process.state import locked, read_json, write_json
from tui.engine.process.store import Store, size, state_root

# How much of a failure is shown.
TAIL_LINES = 15
# How often a lock that another one holds is asked for: a lock tells nobody when it is free.
AGAIN = 0.3
_OFFLINE = re.compile(r"(?i)network|failed to fetch|connection|connect error|dns|no such host|unreachable|timed? ?out")
HINT = (
    "Is this machine online? Python packages come from PyPI, or from the index that UV_DEFAULT_INDEX names. "
    "What was made before can be used offline."
)


@dataclass(frozen=True, slots=True)
class Recipe:
    """Something that is made once: `kind` (environment or build) and `name` say where, `commands` how, one after the
    other with these settings on top of the caller's. `proof` is a file that it has when it works; `unsaid` is how lines
    begin that are not worth showing."""

    kind: str
    name: str
    title: str
    commands: Callable[[], Sequence[Sequence[str]]]
    environment: Mapping[str, str] = field(default_factory=dict)
    proof: str = ""
    unsaid: tuple[str, ...] = ()

    @property
    def folder(self) -> Path:
        """All that belongs to it."""
        return cache_folder() / f"{self.kind}s" / self.name

    @property
    def target(self) -> Path:
        """What is made."""
        return self.folder / "made"

    @property
    def programs(self) -> Path:
        """What belongs on a PATH."""
        return self.target / "bin"

    @property
    def is_made(self) -> bool:
        """Whether it is there, whole."""
        return (self.folder / "made.json").is_file() and (self.target / self.proof).exists()


@dataclass(frozen=True, slots=True)
class User:
    """A copy of a stack: the name of its state folder, and where it is."""

    name: str
    home: Path


def cache_folder() -> Path:
    """Where everything that is made once lies."""
    return user_cache_path("sparkdeck")


async def make(recipe: Recipe, user: User, *, fresh: bool = False) -> AsyncGenerator[Progress]:
    """Makes what is not there yet, whole or not at all, and notes who uses it. Raises EngineError saying why it cannot.

    `fresh` makes it again, unless somebody's running services use it. Another one who makes it is waited for.
    """
    told = False
    while True:
        with _writing(recipe), locked(recipe.folder) as lock:
            if lock is not None:
                _note(recipe, user)
                again = fresh and not await asyncio.to_thread(_runs, recipe.folder)
                if recipe.is_made and not again:
                    kept = "Kept: running services use it" if fresh else "Ready"
                    yield Progress(f"{recipe.title}  {kept}")
                    return
                async with aclosing(_make(recipe, lock)) as steps:
                    async for step in steps:
                        yield step
                return
        if not told:
            told = True
            yield Progress(f"{recipe.title}  Waiting: another sparkdeck makes it")
        await asyncio.sleep(AGAIN)


async def _make(recipe: Recipe, lock: int) -> AsyncGenerator[Progress]:
    yield Progress(f"{recipe.title}  Making")
    await asyncio.to_thread(_unmake, recipe)
    try:
        for command in recipe.commands():
            recipe.target.mkdir(exist_ok=True)
            async with aclosing(_run(recipe, command, lock)) as lines:
                async for line in lines:
                    yield Progress(f"{recipe.title}: {line}")
        if not (recipe.target / recipe.proof).exists():
            raise EngineError(f"{recipe.title} cannot be made: all went well, but there is no {recipe.proof} in it.")
        write_json(recipe.folder / "made.json", {"title": recipe.title})
    except BaseException:
        await asyncio.to_thread(_unmake, recipe)
        raise
    yield Progress(f"{recipe.title}  Made")


async def _run(recipe: Recipe, command: Sequence[str], lock: int) -> AsyncGenerator[str]:
    tail: deque[str] = deque(maxlen=TAIL_LINES)
    try:
        # The lock goes along: should we be killed, it is held until the command has ended, too.
        lines = child.lines(command, recipe.target, {**recipe.environment, "NO_COLOR": "1"}, handles=[lock])
        async with aclosing(lines):
            async for line in lines:
                if not isinstance(line, child.Ended):
                    tail.append(line)
                    if not line.startswith(recipe.unsaid):
                        yield line
                elif line.code:
                    what = f"{recipe.title} cannot be made: {Path(command[0]).name} ended with exit code {line.code}."
                    raise EngineError("\n".join([what, *(f"  {said}" for said in tail), *_hint(tail)]))
    except EngineGone as gone:
        raise EngineError(f"{recipe.title} cannot be made: {gone}") from None


def _hint(tail: Sequence[str]) -> list[str]:
    return [HINT] if any(_OFFLINE.search(line) for line in tail) else []


def of_user(user: User) -> list[Removable]:
    """What this copy of a stack has used and no other copy uses."""
    return [
        Removable(folder.parent.name.removesuffix("s"), str(folder), _title(folder), size(folder))
        for folder in _used_by(user)
        if _users(folder) <= {user.name}
    ]


async def forget(user: User) -> AsyncGenerator[Progress]:
    """This copy of a stack uses nothing any more: what no other one uses either is removed."""
    for folder in await asyncio.to_thread(lambda: [*_used_by(user)]):
        with locked(folder) as lock:
            if lock is None:
                # Somebody makes it at this moment: for another stack.
                continue
            title = _title(folder)
            (folder / "users" / user.name).unlink(missing_ok=True)
            if not _users(folder):
                await asyncio.to_thread(shutil.rmtree, folder)
                yield Progress(f"{title}  Removed")


@contextmanager
def _writing(recipe: Recipe) -> Iterator[None]:
    """Says in words what the disk refuses."""
    try:
        yield
    except OSError as error:
        hint = "Make room on that disk" if error.errno in (errno.ENOSPC, errno.EDQUOT) else "See whose folder it is"
        raise EngineError(
            f"{recipe.title} cannot be made in {recipe.folder}: {error.strerror or error}. {hint}, then try again."
        ) from None


def _note(recipe: Recipe, user: User) -> None:
    file = recipe.folder / "users" / user.name
    file.parent.mkdir(exist_ok=True, mode=0o700)
    file.write_text(str(user.home), "utf-8")


def _unmake(recipe: Recipe) -> None:
    (recipe.folder / "made.json").unlink(missing_ok=True)
    shutil.rmtree(recipe.target, ignore_errors=True)


def _title(folder: Path) -> str:
    return str((read_json(folder / "made.json") or {}).get("title", folder.name))


def _used_by(user: User) -> Iterator[Path]:
    return iter(sorted(mark.parents[1] for mark in cache_folder().glob(f"*/*/users/{user.name}")))


def _users(folder: Path) -> set[str]:
    """The copies of stacks that use it; not those that are gone, with their processes, without a `cleanup`."""
    found = set()
    for mark in folder.glob("users/*"):
        with suppress(OSError):
            if Path(mark.read_text("utf-8")).is_dir() or Store(state_root() / mark.name).replicas():
                found.add(mark.name)
    return found


def _runs(folder: Path) -> bool:
    """Whether a copy of a stack that uses it has anything that runs."""
    replicas = (one for name in _users(folder) for one in Store(state_root() / name).replicas())
    return any(one.state is not State.ENDED for one in replicas)
