"""What stands before the verb, in this process and several times: the stack, `--read-only`, `--yes`, a lost folder."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cli.test_command import COMPOSE, LAYOUT
from tests.scripted_engine import ScriptedEngine
from tui.cli import main, session
from tui.engine.interface import Engine
from tui.stack.model import Project, Service, Stack

VERBS = sorted(one.name or one.callback.__name__ for one in main.app.registered_commands if one.callback)
# Words that a verb cannot do without.
NEEDS = {"init": ["copy"], "scale": ["2"], "jobs": ["some-run", "--cancel"]}


def run(*words: str) -> int:
    """The exit code of the command with these words."""
    with pytest.raises(SystemExit) as ended:
        main.run(words)
    return int(ended.value.code or 0)


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> ScriptedEngine:
    """What every session of the command line gets."""
    made = ScriptedEngine(Project("mine", {"web": Service("web")}))
    made.add("web")

    async def open_engine(stack: Stack, kind: object) -> Engine:
        made.closed = False
        return made

    monkeypatch.setattr(session, "open_engine", open_engine)
    return made


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project of the user's own, and this process in its folder."""
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "compose.yaml").write_text(COMPOSE)
    (folder / "sparkdeck.yaml").write_text(LAYOUT)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return folder


@pytest.fixture
def says(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], int]]:
    """A terminal to ask in, with what a person types there."""
    ours, theirs = os.openpty()
    with os.fdopen(theirs) as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        yield lambda text: os.write(ours, f"{text}\n".encode())
    os.close(ours)


def test_what_stands_before_a_verb_is_of_that_call_only(
    mine: Path, engine: ScriptedEngine, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run("--stack", "nobodys", "status") == 2
    assert "nobodys" in capfd.readouterr().err
    assert run("status") == 0
    assert "mine on scripted" in capfd.readouterr().out
    assert run("shell", "web", "--", "echo", "one") == 0
    assert run("--stack", str(mine), "shell", "web", "--", "echo", "two") == 0
    assert run("--read-only", "stop") == 2
    assert run("stop") == 0
    assert [words[1] for name, words in engine.actions if name == "shell_command"] == [("echo", "one"), ("echo", "two")]


@pytest.mark.parametrize("verb", VERBS)
def test_read_only_refuses_every_verb_that_changes_something(
    mine: Path, engine: ScriptedEngine, capfd: pytest.CaptureFixture[str], verb: str
) -> None:
    engine.add_run("web", "some-run")
    engine.actions.clear()
    before = sorted(mine.parent.rglob("*"))
    code = run("--read-only", verb, *NEEDS.get(verb, []))
    if code == 2:
        assert "--read-only" in capfd.readouterr().err
    # Whoever adds a verb says there whether it only looks.
    assert code != 2 or verb == "jobs" or verb not in main.LOOKS
    assert [name for name, _ in engine.actions] == []
    assert [path for path in sorted(mine.parent.rglob("*")) if "state" not in path.parts] == before


def test_down_always_asks(
    mine: Path, engine: ScriptedEngine, capfd: pytest.CaptureFixture[str], says: Callable[[str], int]
) -> None:
    says("n")
    assert run("down") == 1
    assert "Take mine down" in capfd.readouterr().err
    assert not engine.actions
    says("y")
    assert run("down") == 0
    assert [name for name, _ in engine.actions] == ["down"]


@pytest.mark.parametrize("verb", ["down", "cleanup"])
def test_without_a_terminal_it_must_be_said(
    mine: Path, engine: ScriptedEngine, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    with Path(os.devnull).open() as nothing:
        monkeypatch.setattr(sys, "stdin", nothing)
        assert run(verb) == 2
        assert "--yes" in capfd.readouterr().err and not engine.actions
        assert run(verb, "--yes") == 0
    assert engine.actions


def test_what_no_file_names_any_more_goes_by_its_name(
    mine: Path, engine: ScriptedEngine, capfd: pytest.CaptureFixture[str]
) -> None:
    old = [engine.add("old"), engine.add("old", 2), engine.add("older")]
    assert run("doctor") == 1
    assert "old-2 is there, but its service is not in compose.yaml" in capfd.readouterr().out
    assert run("stop", "old-2") == 0
    assert run("down", "old", "--yes") == 0
    assert [arguments[0] for name, arguments in engine.actions if name == "remove"] == [old[0].id, old[1].id]
    assert run("down", "odler", "--yes") == 2
    assert "did you mean 'older-1'?" in capfd.readouterr().err
    assert run("down", "older-1", "web", "--yes") == 0
    assert "down" not in [name for name, _ in engine.actions]


def test_a_folder_that_was_deleted(mine: Path, capfd: pytest.CaptureFixture[str]) -> None:
    shutil.rmtree(mine)
    for verb in VERBS:
        if verb == "stacks":
            continue
        assert run(verb, *NEEDS.get(verb, [])) == 2
        assert "is gone. Change to another one" in capfd.readouterr().err
    assert run("--stack", str(mine), "status") == 2
    assert "There is no file or folder" in capfd.readouterr().err
    assert run("--stack", "nobodys", "status") == 2
    assert "is gone" in capfd.readouterr().err
    assert run("--stack", "spark-cluster", "init", str(mine)) == 0


def test_what_is_not_this_stacks_needs_a_clear_yes(
    mine: Path, engine: ScriptedEngine, capfd: pytest.CaptureFixture[str], says: Callable[[str], int]
) -> None:
    engine.add("web", folder="/elsewhere", files=("/elsewhere/compose.yaml",))
    says("n")
    assert run("down", "--yes") == 2
    assert "made from /elsewhere/compose.yaml" in capfd.readouterr().err and not engine.actions
    says("y")
    assert run("down", "--yes") == 0
    assert [name for name, _ in engine.actions] == ["down"]
