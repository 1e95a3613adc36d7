"""What every verb shares: what was chosen before it, its session, and errors that become messages and exit codes."""

from __future__ import annotations

import asyncio
import functools
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import NoReturn, ParamSpec

import typer

from tui.actions.start import Refused
from tui.checks.foreign import OWN_NAME
from tui.cli import output
from tui.clients.http import ClientError
from tui.engine.choose import EngineKind, open_engine
from tui.engine.interface import Capability, EngineError, EngineGone, Lacking, demand
from tui.jobs.kinds.kind import SubmitError
from tui.stack.catalogue import find_stack
from tui.stack.errors import StackError
from tui.stack.model import Stack
from tui.stack.selection import Selection
from tui.watch.foreign import whose
from tui.watch.ready import NotReady
from tui.watch.session import Session

P = ParamSpec("P")
# What may change or remove what is there.
ACTS = frozenset({Capability.CONTROL, Capability.SCALE, Capability.CLEANUP})


class Exit(IntEnum):
    """What the exit code of a verb means. A job's own exit code is passed on as it is."""

    OK = 0
    FAILED = 1
    USAGE = 2
    NO_ENGINE = 3
    NOT_READY = 4
    INTERRUPTED = 130


@dataclass(frozen=True, slots=True)
class Choice:
    """What was chosen before the verb, and what stands behind `--`: not ours to read."""

    stack: str | None
    variant: str | None
    selection: Selection
    engine: EngineKind
    read_only: bool
    rest: list[str]

    @classmethod
    def of(cls, context: typer.Context) -> Choice:
        """What this command line says; also while the shell completes it."""
        root = context.find_root()
        before = root.params
        engine = EngineKind(before.get("engine") or EngineKind.AUTO)
        selection = Selection(
            files=tuple(before.get("file") or ()),
            directory=before.get("project_directory") or "",
            env_files=tuple(before.get("env_file") or ()),
            project_name=before.get("project_name") or "",
            profiles=tuple(before.get("profile") or ()),
        )
        read_only = bool(before.get("read_only"))
        return cls(before.get("stack"), before.get("variant"), selection, engine, read_only, root.obj or [])


def chosen_stack(context: typer.Context, folder: Path = Path()) -> Stack:
    """The stack that the command line names, or that of the folder, this one if none is given. Raises StackError."""
    choice = Choice.of(context)
    return find_stack(choice.stack, folder, choice.variant, choice.selection)


@asynccontextmanager
async def open_session(context: typer.Context, *needs: Capability, starting: bool = False) -> AsyncGenerator[Session]:
    """Opens the chosen stack; roles are detected where it brings no layout.

    A stack that is `starting` gets the credentials that its compose files demand and its layout generates.
    Raises Lacking where the engine has not what the verb `needs`.
    """
    kind = Choice.of(context).engine
    opener = functools.partial(open_engine, kind=kind)
    session = await Session.open(lambda: chosen_stack(context), opener, starting=starting, tell=output.note)
    info = session.engine.info
    if kind is EngineKind.AUTO and info.reason:
        output.note(f"as {info.endpoint}: {info.reason}")
    try:
        demand(session.engine, *needs)
        if session.stale:
            output.note(f"{session.stale}\nUntil that is mended, this is what runs of it.", "yellow")
        if not ACTS.isdisjoint(needs):
            await _only_ours(session)
        yield session
    finally:
        await session.close()


async def _only_ours(session: Session) -> None:
    """Goes on only if what a verb will act on is this stack's, or the user says so; `--yes` does not."""
    if text := whose(session.stack, session.project.name, await session.engine.replicas()):
        if not sys.stdin.isatty():
            fail(Exit.USAGE, f"{text} Nobody can be asked here. {OWN_NAME}")
        output.note(text, "yellow")
        if not typer.confirm("Act on them?", err=True):
            fail(Exit.USAGE, f"Nothing was done. {OWN_NAME}")


def fail(code: int, text: str) -> NoReturn:
    """Ends the verb with a message on stderr."""
    output.error(text)
    raise typer.Exit(code)


def agreed(question: str, yes: bool) -> bool:
    """Whether the user agrees to what cannot be undone: by `--yes`, or when asked."""
    if not yes and not sys.stdin.isatty():
        fail(Exit.USAGE, f"{question} Nobody can be asked here: say --yes.")
    return yes or typer.confirm(question, err=True)


def verb(function: Callable[P, Awaitable[int | None]]) -> Callable[P, None]:
    """Makes a synchronous command of an async verb; its result is the exit code, its errors are messages."""

    @functools.wraps(function)
    def command(*args: P.args, **kwargs: P.kwargs) -> None:
        async def run() -> int | None:
            return await function(*args, **kwargs)

        try:
            code = asyncio.run(run())
        except EngineGone as error:
            fail(Exit.NO_ENGINE, str(error))
        except NotReady as error:
            fail(Exit.NOT_READY, str(error))
        except (StackError, SubmitError, Refused, Lacking) as error:
            fail(Exit.USAGE, str(error))
        except (EngineError, ClientError) as error:
            fail(Exit.FAILED, str(error))
        except KeyboardInterrupt:
            fail(Exit.INTERRUPTED, "interrupted")
        except BrokenPipeError:
            # `sparkdeck logs | head` has seen enough.
            output.drop_stdout()
            raise typer.Exit(0) from None
        raise typer.Exit(code or 0)

    return command
