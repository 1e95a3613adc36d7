"""One-shots as processes of this machine: who waits says so, who failed why."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.engine.process import conftest
from tests.watch.conftest import until
from tui.actions.bring_up import bring_up
from tui.stack.model import Service, Stack
from tui.watch.live import StackWatch
from tui.watch.ready import NotReady, Step, wait_ready

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no processes are kept on Windows")

states, tiny = conftest.states, conftest.tiny
SERVICES = [Service("train"), Service("serve", depends_on={"train": "service_completed_successfully"})]


def commands(folder: Path, end: str) -> dict[str, tuple[str, ...]]:
    return {
        "train": ("sh", "-c", f"echo learning; until [ -e {folder}/on ]; do sleep 0.05; done; {end}"),
        "serve": ("sleep", "1000"),
    }


async def test_a_one_shot_is_waited_for_and_then_done(tiny: Any, tmp_path: Path) -> None:
    engine = await tiny(SERVICES, commands(tmp_path, "exit 0"))
    stack, project = Stack("tiny", tmp_path, (), tmp_path), await engine.project()
    said: list[str] = []

    async def up() -> None:
        async for update in bring_up(engine, stack, project):
            if isinstance(update, Step):
                said.append(f"{update.service}: {update.word}")

    watch = StackWatch(engine, stack, project)
    await watch.start()
    task = asyncio.create_task(up())
    try:
        serve, train = watch.panes["serve/1"], watch.panes["train/1"]
        await until(lambda: serve.note.startswith("waits for train, running 0:0") and train.word == "running", 20)
        await until(lambda: "serve: waits for train, running" in said, 20)
        (tmp_path / "on").touch()
        await task
        await until(lambda: train.word == "done" and serve.word == "running", 20)
        assert train.well
        done = {step.service: step async for step in wait_ready(engine, stack, project, timeout=20)}
        assert done["train"].ready and done["train"].word.startswith("done, took ")
    finally:
        (tmp_path / "on").touch()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await watch.close()


async def test_a_one_shot_that_fails_is_told_with_the_end_of_its_log(tiny: Any, tmp_path: Path) -> None:
    (tmp_path / "on").touch()
    engine = await tiny(SERVICES, commands(tmp_path, "echo no data in /data; exit 3"))
    stack, project = Stack("tiny", tmp_path, (), tmp_path), await engine.project()
    with pytest.raises(NotReady) as caught:
        [update async for update in bring_up(engine, stack, project)]
    first, *log = str(caught.value).splitlines()
    assert first.startswith("train: ended (exit code 3); sparkdeck logs train tells why")
    assert log == ["  learning", "  no data in /data"]
