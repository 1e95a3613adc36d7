"""What is made once and shared: whole or not at all, by one at a time, and removed only when nobody uses it."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.engine.process.tiny import SLEEP
from tui.engine.interface import EngineError, drain
from tui.engine.process import cache
from tui.engine.process.cache import Recipe, User, make, of_user
from tui.stack.model import Service

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no processes are kept on Windows")


def recipe(*scripts: str, name: str = "tool-1", proof: str = "bin/tool") -> Recipe:
    """Made by these shell scripts, in the folder that is to hold it."""
    return Recipe("build", name, "a tool", lambda: [["sh", "-c", script] for script in scripts], proof=proof)


WELL = "mkdir bin && echo it is made > bin/tool && echo done"


@pytest.fixture
def user(states: Path, tmp_path: Path) -> User:
    return user_at(tmp_path / "home")


def user_at(home: Path) -> User:
    home.mkdir()
    return User(f"stack-{home.name}", home)


async def test_it_is_made_once_and_whole(user: User) -> None:
    said = await drain(make(recipe("echo one; echo two >&2", WELL), user))
    assert said == ["a tool  Making", "a tool: one", "a tool: two", "a tool: done", "a tool  Made"]
    assert (recipe().programs / "tool").read_text() == "it is made\n"
    assert await drain(make(recipe("exit 1"), user)) == ["a tool  Ready"], "it is not made again"


@pytest.mark.parametrize(
    ("commands", "said"),
    [
        (["echo half > half; echo why >&2; exit 3"], r"a tool cannot be made: sh ended with exit code 3\.\n  why$"),
        (["seq 100; exit 1"], r"exit code 1\.\n  86\n(  \d+\n)+  100$"),
        (["echo 'error: Failed to fetch x'; exit 2"], r"Failed to fetch x\nIs this machine online\?"),
        (["true"], "there is no bin/tool in it"),
    ],
)
async def test_a_failure_says_why_and_leaves_nothing(commands: Sequence[str], said: str, user: User) -> None:
    with pytest.raises(EngineError, match=said):
        await drain(make(recipe(*commands), user))
    assert not recipe().target.exists() and not recipe().is_made
    await drain(make(recipe(WELL), user))
    assert recipe().is_made


async def test_a_program_that_is_not_there(user: User) -> None:
    with pytest.raises(EngineError, match="a tool cannot be made: no-such-program cannot be run"):
        await drain(make(Recipe("build", "x", "a tool", lambda: [["no-such-program"]]), user))


async def test_a_folder_that_cannot_be_written(user: User, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setattr(cache, "user_cache_path", lambda name: tmp_path / "file" / name)
    with pytest.raises(EngineError, match=r"a tool cannot be made in .*/file/sparkdeck/builds/tool-1.*Not a directory"):
        await drain(make(recipe(WELL), user))


async def test_two_at_once_make_it_once(user: User, tmp_path: Path) -> None:
    gate, made = tmp_path / "gate", tmp_path / "made"
    slow = f"echo x >> {made}; while [ ! -e {gate} ]; do sleep 0.02; done; {WELL}"
    said: asyncio.Queue[str] = asyncio.Queue()

    async def one() -> list[str]:
        lines = []
        async for step in make(recipe(slow), user):
            lines.append(step.text)
            said.put_nowait(step.text)
        return lines

    async with asyncio.timeout(30), asyncio.TaskGroup() as group:
        tasks = [group.create_task(one()) for _ in range(2)]
        while "Waiting" not in await said.get():
            pass
        gate.touch()
    first, second = sorted((task.result() for task in tasks), key=len, reverse=True)
    assert first[0] == "a tool  Making" and first[-1] == "a tool  Made"
    assert second == ["a tool  Waiting: another sparkdeck makes it", "a tool  Ready"]
    assert made.read_text() == "x\n"


async def test_what_is_broken_off_leaves_no_process_and_nothing_half(user: User) -> None:
    steps = make(recipe("echo half > half; echo $$; sleep 1000; true"), user)
    while not (said := (await anext(steps)).text.rpartition(": ")[2]).isdecimal():
        pass
    assert (shell := psutil.Process(int(said))).is_running()
    await steps.aclose()
    assert not shell.is_running()
    assert not recipe().target.exists()


async def test_a_tool_that_is_killed_in_the_middle(user: User, tmp_path: Path) -> None:
    """What it started goes on without it; until that has ended, nobody else makes the same."""
    gate, began = tmp_path / "gate", tmp_path / "began"
    script = f"echo half > half; touch {began}; while [ ! -e {gate} ]; do sleep 0.02; done; rm half"
    child = os.fork()
    if child == 0:
        try:
            asyncio.run(_drain_in_another_process(recipe(script), user))
        finally:
            os._exit(0)
    async with asyncio.timeout(30):
        while not began.exists():  # noqa: ASYNC110
            await asyncio.sleep(0.02)
        os.kill(child, signal.SIGKILL)
        await asyncio.to_thread(os.waitpid, child, 0)
        steps = make(recipe(f"ls; {WELL}"), user)
        assert (await anext(steps)).text == "a tool  Waiting: another sparkdeck makes it"
        gate.touch()
        assert await drain(steps) == ["a tool  Making", "a tool: done", "a tool  Made"], "and nothing half was left"


async def _drain_in_another_process(what: Recipe, user: User) -> None:
    await drain(make(what, user))


async def test_what_is_broken_by_hand_is_made_again(user: User) -> None:
    await drain(make(recipe(WELL), user))
    (recipe().programs / "tool").unlink()
    assert "a tool  Made" in await drain(make(recipe(WELL), user))


async def test_what_another_stack_uses_is_kept(user: User, tmp_path: Path) -> None:
    other = user_at(tmp_path / "other")
    for one in (user, other):
        await drain(make(recipe(WELL), one))
    await drain(make(recipe(WELL, name="mine-1"), user))
    (listed,) = of_user(user)
    assert (listed.kind, listed.id, listed.name) == ("build", str(recipe(name="mine-1").folder), "a tool")
    assert listed.size and listed.size > 5
    assert await drain(cache.forget(user)) == ["a tool  Removed"]
    assert recipe().is_made and not recipe(name="mine-1").folder.exists()
    assert of_user(user) == [] and len(of_user(other)) == 1
    await drain(cache.forget(other))
    assert not recipe().folder.exists()


async def test_a_stack_whose_folder_is_gone_keeps_nothing_unless_it_runs(tiny: Any, user: User) -> None:
    other = await tiny([Service("a")], {"a": SLEEP}, "other")
    other.plan.recipes = [recipe(WELL)]
    assert "a tool  Made" in await drain(other.up())
    await drain(make(recipe(WELL), user))
    home = other.plan.folder
    home.rename(home.with_name("elsewhere"))
    assert of_user(user) == [], "its processes run"
    home.with_name("elsewhere").rename(home)
    await drain(other.down())
    assert of_user(user) == [], "it is down, and still there"
    shutil.rmtree(home)
    assert [one.name for one in of_user(user)] == ["a tool"]
    home.mkdir()


async def test_made_anew_only_where_nothing_runs_with_it(tiny: Any) -> None:
    engine = await tiny([Service("a")], {"a": SLEEP})
    engine.plan.recipes = [recipe(WELL)]
    await drain(engine.build())
    mark = recipe().target / "mark"
    mark.touch()
    await drain(engine.up())
    assert await drain(engine.build(fresh=True)) == ["a tool  Kept: running services use it"]
    assert await drain(engine.build()) == ["a tool  Ready"] and mark.exists()
    await drain(engine.stop())
    assert "a tool  Made" in await drain(engine.build(fresh=True))
    assert not mark.exists()


async def test_cleanup_lists_and_removes_it_and_down_does_not(tiny: Any) -> None:
    engine = await tiny([Service("a")], {"a": SLEEP})
    engine.plan.recipes = [recipe(WELL)]
    await drain(engine.up())
    await drain(engine.down())
    assert [(one.kind, one.name) for one in await engine.removables()] == [("build", "a tool")]
    assert "a tool  Removed" in await drain(engine.remove_all())
    assert not recipe().folder.exists()
