"""What a menu shows is what is run: a command line, given to the shell, asks the engine for the same as the key."""

from __future__ import annotations

import asyncio
import shlex
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from tests.deck.fakes import SERVICES, FakeWatch, layout_project
from tests.scripted_engine import ScriptedEngine
from tui.actions import registered
from tui.actions.replicas import Chosen, choose
from tui.cli import main
from tui.cli import session as cli_session
from tui.deck import usecases
from tui.deck.commands import Command
from tui.deck.jobform import Form, submission
from tui.engine.interface import Engine, Replica, RunRequest
from tui.stack.catalogue import copy_out, find_stack
from tui.stack.model import Stack
from tui.watch.live import StackWatch
from tui.watch.session import Session

RUN = "flight-delay-20261121-120000"
Make = Callable[[Session], Command]


def chosen(*names: str) -> Callable[[Session], Chosen]:
    """What is chosen by name in a session."""

    def found(session: Session) -> Chosen:
        return asyncio.run(choose(session.engine, session.project, names))

    return found


def cancel(session: Session) -> Command:
    run = next(one for one in asyncio.run(session.engine.replicas()) if one.is_run)
    return usecases.cancel(session, RUN, run)


def submit(session: Session) -> Command:
    form = Form("/apps/my job.py", args="--rows 5 'two words'", cores="2", confs="spark.app.name=a b; x.y=$HOME")
    return usecases.submit(session, form, submission(session, form))


COMMANDS: dict[str, Make] = {
    "start the stack": lambda session: usecases.start(session, Chosen()),
    "start a service": lambda session: usecases.start(session, chosen("jupyter", "mlflow")(session)),
    "recreate": lambda session: usecases.start(session, chosen("jupyter")(session), recreate=True),
    "rebuild": lambda session: usecases.start(session, chosen("jupyter")(session), recreate=True, build=True),
    "stop a service": lambda session: usecases.stop(session, chosen("jupyter")(session)),
    "stop a replica": lambda session: usecases.stop(session, chosen("mlflow", "spark-worker-extra-2")(session)),
    "restart": lambda session: usecases.restart(session, chosen("jupyter", "spark-worker-extra-1")(session)),
    "down": usecases.down,
    "scale": lambda session: usecases.scale(session, 7),
    "cancel": cancel,
    "cleanup": usecases.cleanup,
    "submit": submit,
}


class Brief(ScriptedEngine):
    """An engine whose runs are over at once: the command line follows them."""

    async def start_run(self, request: RunRequest) -> Replica:
        return self.finish(await super().start_run(request), 0)


def scripted() -> ScriptedEngine:
    """Everything up, one service twice, a run that goes on. Nobody waits for health."""
    project = layout_project(SERVICES)
    services = {name: replace(one, has_health_check=False, mounts=()) for name, one in project.services.items()}
    engine = Brief(replace(project, services=services))
    for name in SERVICES:
        engine.add(name)
    for number in (1, 2):
        engine.add("spark-worker-extra", number)
    engine.add_run("spark-submit", RUN)
    engine.actions.clear()
    return engine


@pytest.fixture
def stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stack:
    """A copy of flight-delay in a folder whose name a shell must not split."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.delenv("TASKS", raising=False)
    # No master answers.
    monkeypatch.setattr(registered, "REGISTRATION", 0.0)
    folder = tmp_path / "my stack"
    copy_out(find_stack("flight-delay", tmp_path), folder)
    return find_stack(str(folder), Path("/"))


def asked(engine: ScriptedEngine) -> list[tuple[Any, ...]]:
    """What the engine was asked for; a run's own name and time are of each try."""

    def same(word: Any) -> Any:
        if not isinstance(word, RunRequest):
            return word
        return repr(replace(word, labels={**word.labels, "submitted": ""})).replace(word.labels["run"], "RUN")

    # `up` lists the pages at its end, and looks for Jupyter's token.
    done = [(name, arguments) for name, arguments in engine.actions if "list" not in str(arguments)]
    return [(name, *map(same, arguments)) for name, arguments in done]


@pytest.mark.parametrize("what", COMMANDS)
def test_the_line_that_is_shown_does_the_same(stack: Stack, monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    engine = scripted()
    session = Session(engine, stack, engine._project)
    session.watch = cast("StackWatch", FakeWatch([]))

    async def begin() -> None:
        async for _ in command.work():
            pass

    command = COMMANDS[what](session)
    by_key: BaseException | None = None
    try:
        asyncio.run(begin())
    except Exception as error:
        by_key = error

    twin = scripted()

    async def open_engine(stack: Stack, kind: object) -> Engine:
        return twin

    monkeypatch.setattr(cli_session, "open_engine", open_engine)
    monkeypatch.setattr(sys, "argv", shlex.split(command.line))
    with pytest.raises(SystemExit) as ended:
        main.run()
    assert asked(twin) == asked(engine)
    assert bool(ended.value.code) == bool(by_key), (ended.value.code, by_key)
    assert asked(engine), by_key
