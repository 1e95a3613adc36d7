"""What is left of runs when `down` has taken their replicas along."""

from __future__ import annotations

import asyncio
import errno
import json
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from tests.scripted_engine import ScriptedEngine
from tui.actions.cleanup import clean, removables
from tui.actions.down import down
from tui.engine.interface import drain
from tui.jobs import journal
from tui.jobs.follow import Ended, follow
from tui.jobs.journal import KEPT, history, journal_file, write_down
from tui.jobs.submit import find_runs
from tui.jobs.verdict import Outcome
from tui.stack.model import Project, Service, Stack
from tui.stack.secrets import MASK

SHOWN = ("--rows", "5", "--password", MASK, f"--api-key={MASK}", f"jdbc:mysql://me:{MASK}@db", "last")
PROJECT = Project("demo", {"client": Service("client")})


@pytest.fixture
def stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stack:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr(journal, "user_state_path", lambda name: tmp_path / "state" / name)
    return Stack("demo", tmp_path, (), tmp_path)


def submit(engine: ScriptedEngine, number: int, *, labels: dict[str, str] | None = None, **fields: object) -> str:
    own = {"job": "train", "args": '["--rows", "5"]', "submitted": f"2026-11-21T10:{number:02}:00+00:00"}
    return engine.add_run("client", f"train-{number}", labels={**own, **(labels or {})}, **fields).id


async def test_a_run_is_still_told_of_after_down(stack: Stack) -> None:
    engine = ScriptedEngine(PROJECT)
    args = ("--rows", "5", "--password", "hunter2", "--api-key=hunter2", "jdbc:mysql://me:hunter2@db", "last")
    conf = ("--conf", "spark.hadoop.fs.s3a.secret.key=hunter2", "--conf", "a=b")
    labels = {"args": json.dumps(args), "env": '{"TASKS": "load", "DB_PASSWORD": "hunter2"}'}
    id = submit(engine, 1, command=("spark-submit", *conf, "/apps/x.py", *args), labels=labels)
    engine.finish(id, 137, out_of_memory=True)
    await drain(down(engine, stack, PROJECT))
    assert await engine.replicas() == []
    (run,) = await history(engine, stack)
    assert (run.id, run.job, run.args, run.is_over, run.is_past) == (*("train-1", "train", SHOWN, True, True),)
    assert run.replica.exit_code == 137 and run.replica.out_of_memory
    assert run.replica.started_at is not None and run.replica.ended_at is not None
    # To submit it again, but without what nobody should find in a file.
    confs = ("--conf", f"spark.hadoop.fs.s3a.secret.key={MASK}", "--conf", "a=b")
    assert run.replica.command == ("spark-submit", *confs, "/apps/x.py", *SHOWN)
    assert run.env == {"TASKS": "load", "DB_PASSWORD": MASK}
    file = journal_file(stack)
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
    runs = await history(engine, stack)
    assert [run.id for run in runs] == [running, "train-5", "train-4", "train-3"]
    assert [run.is_past for run in runs] == [False, True, True, True]


@pytest.mark.parametrize(
    "text",
    ["", "no json\n", "[]\n", '{"labels": 3}\n', "\x00\xff\n", '{"exit_code": {}, "verdict": []}\n' * 1000, "[" * 9**5],
)
async def test_a_spoilt_journal_is_not_in_the_way(stack: Stack, text: str) -> None:
    engine = ScriptedEngine(PROJECT)
    file = journal_file(stack)
    file.parent.mkdir(parents=True)
    file.write_text(text)
    engine.finish(submit(engine, 1))
    assert [run.id for run in await history(engine, stack)] == ["train-1"]
    assert [json.loads(line)["run"] for line in file.read_text().splitlines()] == ["train-1"]


async def test_a_journal_that_cannot_be_written_is_told_and_stops_nothing(stack: Stack, tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file where a folder should be")
    engine = ScriptedEngine(PROJECT)
    engine.finish(submit(engine, 1))
    (run,) = await find_runs(engine)
    told: list[str] = []
    assert [run.id for run in await history(engine, stack, told.append)] == ["train-1"]
    ended = [update async for update in follow(engine, stack, PROJECT, run)][-1]
    assert isinstance(ended, Ended)
    steps = await drain(down(engine, stack, PROJECT))
    why = f"The history of runs is not kept: {journal_file(stack)} cannot be written ("
    assert len(told) == 1 and all(text.startswith(why) for text in (*told, ended.unkept, steps[0]))
    assert await engine.replicas() == []


@pytest.mark.skipif(os.geteuid() == 0 or not Path("/dev/full").exists(), reason="root may write everywhere")
async def test_a_folder_that_is_read_only(stack: Stack, tmp_path: Path) -> None:
    engine = ScriptedEngine(PROJECT)
    engine.finish(submit(engine, 1))
    await history(engine, stack)
    journal_file(stack).parent.chmod(0o500)
    engine.finish(submit(engine, 2))
    told: list[str] = []
    assert [run.id for run in await history(engine, stack, told.append)] == ["train-2", "train-1"]
    assert "Permission denied" in told[0]


async def test_a_disk_that_is_full(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = ScriptedEngine(PROJECT)
    engine.finish(submit(engine, 1), 3)
    await history(engine, stack)

    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    # What a full disk says when a file is brought home.
    monkeypatch.setattr(Path, "replace", lambda *_: full(0))
    engine.finish(submit(engine, 2))
    told: list[str] = []
    assert [run.id for run in await history(engine, stack, told.append)] == ["train-2", "train-1"]
    assert "No space left on device" in told[0]
    monkeypatch.undo()


async def test_of_a_journal_that_is_too_long_the_oldest_go(stack: Stack) -> None:
    engine = ScriptedEngine(PROJECT)
    engine.finish(submit(engine, 1))
    await drain(down(engine, stack, PROJECT))
    file = journal_file(stack)
    line = json.loads(file.read_text())
    lines = [
        json.dumps(
            {**line, "run": f"old-{n}", "submitted": f"2026-01-01T00:{n // 60:02}:{n % 60:02}+00:00", "job": "x" * 9000}
        )
        for n in range(600, 0, -1)
    ]
    file.write_text("x" * 5_000_000 + "\n" + "\n".join([file.read_text().strip(), *lines]))
    assert file.stat().st_size > 10_000_000
    engine.finish(submit(engine, 2))
    runs = await history(engine, stack)
    assert len(runs) == KEPT and [run.id for run in runs[:4]] == ["train-2", "train-1", "old-600", "old-599"]
    assert file.stat().st_size < 4_000_000


async def test_a_stack_has_one_journal_whatever_its_projects_name(stack: Stack) -> None:
    engine, other = ScriptedEngine(PROJECT), ScriptedEngine(replace(PROJECT, name="demo-1a2b3c"))
    id = submit(engine, 1)
    engine.finish(id, 0)
    (run,) = await find_runs(engine)
    assert [update async for update in follow(engine, stack, PROJECT, run)]
    (seen,) = await history(other, stack)
    assert seen.verdict is not None and seen.verdict.ok
    # One of before that was so.
    file = journal_file(stack)
    old = file.rename(file.with_name(f"demo-1a2b3c{file.name[-15:]}"))
    file.write_text(json.dumps({**json.loads(old.read_text()), "verdict": None}))
    (seen,) = await history(other, stack)
    assert seen.verdict is not None and seen.verdict.ok and list(file.parent.iterdir()) == [file]


def test_several_writers_lose_nothing(stack: Stack) -> None:
    def write(number: int) -> None:
        engine = ScriptedEngine(PROJECT)
        engine.finish(submit(engine, number))
        (run,) = asyncio.run(find_runs(engine))
        assert asyncio.run(write_down(stack, run)) == ""

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(40)))
    assert len(asyncio.run(history(ScriptedEngine(PROJECT), stack))) == 40


async def test_what_was_followed_is_known_even_if_somebody_else_removes_it(stack: Stack) -> None:
    engine = ScriptedEngine(PROJECT)
    id = submit(engine, 1)
    # The exit code alone would hide it.
    engine.write(id, "Traceback (most recent call last):", '  File "x.py", line 1, in <module>', "ValueError: no rows")
    engine.finish(id, 0)
    (run,) = await find_runs(engine)
    updates = [update async for update in follow(engine, stack, PROJECT, run)]
    assert isinstance(updates[-1], Ended)
    (known,) = await history(engine, stack)
    assert known.verdict == updates[-1].verdict and not known.is_past
    engine.drop(id)
    (past,) = await history(engine, stack)
    assert past.is_past and past.verdict == updates[-1].verdict
    assert past.verdict is not None and past.verdict.outcome is Outcome.SWALLOWED


async def test_a_verdict_joins_what_was_written_before_it_was_known(stack: Stack) -> None:
    engine = ScriptedEngine(PROJECT)
    engine.finish(submit(engine, 1), 3)
    (run,) = await history(engine, stack)
    assert run.verdict is None
    assert [update async for update in follow(engine, stack, PROJECT, run)]
    await drain(down(engine, stack, PROJECT))
    (past,) = await history(engine, stack)
    assert past.verdict is not None and past.verdict.outcome is Outcome.FAILED
    assert len(journal_file(stack).read_text().splitlines()) == 1


async def test_down_ends_what_goes_on_and_tells_of_it_later(stack: Stack) -> None:
    engine = ScriptedEngine(PROJECT)
    id = submit(engine, 1)
    await drain(down(engine, stack, PROJECT))
    assert [name for name, _ in engine.actions] == ["end", "down"]
    (past,) = await history(engine, stack)
    assert (past.id, past.is_past, past.replica.exit_code) == (id, True, 143)


async def test_a_run_with_more_arguments_than_fit_is_remembered_without_them(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "LONGEST_RUN", 2000)
    engine = ScriptedEngine(PROJECT)
    engine.finish(submit(engine, 1, command=("spark-submit", "x" * 3000)), 7)
    await drain(down(engine, stack, PROJECT))
    (past,) = await history(engine, stack)
    assert (past.id, past.replica.exit_code, past.replica.command) == ("train-1", 7, ())


async def test_cleanup_names_the_history_and_removes_it(stack: Stack) -> None:
    engine = ScriptedEngine(PROJECT)
    engine.finish(submit(engine, 1))
    await drain(down(engine, stack, PROJECT))
    file = journal_file(stack)
    (item,) = await removables(engine, stack, PROJECT)
    assert (item.kind, item.name, item.size) == ("history", str(file), file.stat().st_size)
    await drain(clean(engine, stack, PROJECT))
    assert not file.exists()
    assert await removables(engine, stack, PROJECT) == []
    assert await history(engine, stack) == []
