"""What is left of runs when `down` has taken their replicas along."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.scripted_engine import ScriptedEngine
from tui.actions.down import down
from tui.engine.interface import drain
from tui.jobs import journal
from tui.jobs.journal import history, journal_file
from tui.stack.model import Project, Service, Stack

PROJECT = Project("demo", {"client": Service("client")})


@pytest.fixture
def stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stack:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr(journal, "user_state_path", lambda name: tmp_path / "state" / name)
    return Stack("demo", tmp_path, (), tmp_path)


def submit(engine: ScriptedEngine, number: int, **fields: object) -> str:
    labels = {"job": "train", "args": '["--rows", "5"]', "submitted": f"2026-11-21T10:{number:02}:00+00:00"}
    return engine.add_run("client", f"train-{number}", labels=labels, **fields).id


async def test_a_run_is_still_told_of_after_down(stack: Stack) -> None:
    engine = ScriptedEngine(PROJECT)
    command = ("spark-submit", "--conf", "spark.hadoop.fs.s3a.secret.key=hunter2", "--conf", "a=b", "/apps/x.py")
    engine.finish(submit(engine, 1, command=command), 137, out_of_memory=True)
    await drain(down(engine, stack, PROJECT))
    assert await engine.replicas() == []
    (run,) = await history(engine, stack, PROJECT)
    assert (run.id, run.job, run.args, run.is_over, run.is_past) == ("train-1", "train", ("--rows", "5"), True, True)
    assert run.replica.exit_code == 137 and run.replica.out_of_memory
    assert run.replica.started_at is not None and run.replica.ended_at is not None
    # To submit it again, but without what nobody should find in a file.
    assert run.replica.command == ("spark-submit", "--conf", "a=b", "/apps/x.py")
    file = journal_file(stack, PROJECT)
    assert "hunter2" not in file.read_text() and file.stat().st_mode & 0o077 == 0


async def test_the_newest_first_and_no_more_than_is_worth_keeping(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "KEPT", 3)
    engine = ScriptedEngine(PROJECT)
    for number in (1, 4, 2, 5, 3):
        engine.finish(submit(engine, number))
    await drain(down(engine, stack, PROJECT))
    running = submit(engine, 9)
    runs = await history(engine, stack, PROJECT)
    assert [run.id for run in runs] == [running, "train-5", "train-4", "train-3"]
    assert [run.is_past for run in runs] == [False, True, True, True]


@pytest.mark.parametrize(
    "text", ["", "no json\n", "[]\n", '{"labels": 3}\n', "\x00\xff\n", '{"exit_code": {}}\n' * 1000]
)
async def test_a_spoilt_journal_is_not_in_the_way(stack: Stack, text: str) -> None:
    engine = ScriptedEngine(PROJECT)
    file = journal_file(stack, PROJECT)
    file.parent.mkdir(parents=True)
    file.write_text(text)
    engine.finish(submit(engine, 1))
    assert [run.id for run in await history(engine, stack, PROJECT)] == ["train-1"]
    assert [json.loads(line)["labels"]["run"] for line in file.read_text().splitlines()] == ["train-1"]


async def test_a_journal_that_cannot_be_written_does_not_stop_down(stack: Stack, tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file where a folder should be")
    engine = ScriptedEngine(PROJECT)
    engine.finish(submit(engine, 1))
    assert await drain(down(engine, stack, PROJECT))
    assert await engine.replicas() == []
