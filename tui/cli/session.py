"""What every verb shares: the chosen stack, its engine, and errors that become messages and exit codes."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import IntEnum
from typing import NoReturn, ParamSpec

import typer

from tui.actions.start import Refused
from tui.cli import output
from tui.clients.http import ClientError
from tui.engine.choose import EngineKind, open_engine
from tui.engine.interface import Capability, EngineError, EngineGone, Lacking, demand
from tui.jobs.kinds.kind import SubmitError
from tui.stack.catalogue import find_stack
from tui.stack.errors import StackError
from tui.stack.model import Stack
from tui.stack.root import folder_here
from tui.watch.ready import NotReady
from tui.watch.session import Session

P = ParamSpec("P")


class Exit(IntEnum):
    """What the exit code of a verb means. A job's own exit code is passed on as it is."""

    OK = 0
    FAILED = 1
    USAGE = 2
    NO_ENGINE = 3
    NOT_READY = 4
    INTERRUPTED = 130


@dataclass(slots=True)
class Choice:
    """What was chosen before the verb, and what stands behind `--`: not ours to read."""

    stack: str | None = None
    variant: str | None = None
    engine: EngineKind = EngineKind.AUTO
    rest: list[str] = field(default_factory=list)


choice = Choice()


def chosen_stack() -> Stack:
    """The stack that the command line names, or the one of this folder. Raises StackError."""
    here = folder_here()
    if here is None:
        raise StackError("The folder that this was started in is gone. Change to another one.")
    return find_stack(choice.stack, here, choice.variant)


@asynccontextmanager
async def open_session(*needs: Capability, starting: bool = False) -> AsyncGenerator[Session]:
    """Opens the chosen stack; roles are detected where it brings no layout.

    A stack that is `starting` gets the credentials that its compose files demand and its layout generates.
    Raises Lacking where the engine has not what the verb `needs`.
    """
    opener = functools.partial(open_engine, kind=choice.engine)
    session = await Session.open(chosen_stack(), opener, starting=starting, tell=output.note)
    info = session.engine.info
    if choice.engine is EngineKind.AUTO and info.reason:
        output.note(f"as {info.endpoint}: {info.reason}")
    try:
        demand(session.engine, *needs)
        yield session
    finally:
        await session.close()


def fail(code: int, text: str) -> NoReturn:
    """Ends the verb with a message on stderr."""
    output.error(text)
    raise typer.Exit(code)


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
