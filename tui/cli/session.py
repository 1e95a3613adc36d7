"""What every verb shares: the chosen stack, its engine, and errors that become messages and exit codes."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from enum import IntEnum
from pathlib import Path
from typing import NoReturn, ParamSpec

import typer

from tui.actions.start import Refused
from tui.cli import output
from tui.clients.http import ClientError
from tui.engine.choose import EngineKind, open_engine
from tui.engine.interface import Engine, EngineError, EngineGone
from tui.jobs.submit import SubmitError
from tui.stack.catalogue import find_stack
from tui.stack.errors import StackError
from tui.stack.layout import check_against
from tui.stack.model import Project, Stack
from tui.stack.roles import detect_layout
from tui.stack.variables import demand_variables
from tui.watch.ready import NotReady

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


@dataclass(frozen=True, slots=True)
class Session:
    """A stack with its engine, for as long as a verb runs."""

    stack: Stack
    engine: Engine
    project: Project


def chosen_stack() -> Stack:
    """The stack that the command line names, or the one of this folder. Raises StackError."""
    return find_stack(choice.stack, Path.cwd(), choice.variant)


@asynccontextmanager
async def open_session(*, starting: bool = False) -> AsyncGenerator[Session]:
    """Opens the chosen stack; roles are detected where it brings no layout.

    A stack that is `starting` gets the credentials that its compose files demand and its layout generates.
    """
    stack = chosen_stack()
    for text in demand_variables(stack, starting=starting):
        output.note(text)
    engine = await open_engine(stack, choice.engine)
    if choice.engine is EngineKind.AUTO and engine.info.kind != EngineKind.DOCKER:
        output.note(f"as processes of this machine: {engine.info.reason}")
    try:
        project = await engine.project()
        if stack.layout is None:
            stack = replace(stack, layout=detect_layout(project))
        elif problems := check_against(stack.layout, project):
            raise StackError("\n".join(str(problem) for problem in problems))
        yield Session(stack, engine, project)
    finally:
        await engine.close()


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
        except (StackError, SubmitError, Refused) as error:
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
