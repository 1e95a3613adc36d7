"""The watch on a real engine: what its log shows is what the engine's log has, through everything that happens."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.engine.docker import conftest
from tests.watch.conftest import until
from tui.actions.bring_up import bring_up
from tui.engine.interface import Engine, drain
from tui.stack.model import Stack
from tui.watch.live import Pane, StackWatch
from tui.watch.ready import NotReady, Step, wait_ready
from tui.watch.words import took_text

pytestmark = pytest.mark.engine

# A tiny compose project of its own for each test.
docker, project_name, start_stack = conftest.docker, conftest.project_name, conftest.start_stack

COUNTER = """
app:
  <<: *base
  command: [bash, -c, 'for ((i = 0; ; i++)); do echo "out $$i"; echo "err $$i" >&2; sleep 0.002; done']
"""


@asynccontextmanager
async def watching(engine: Engine, folder: Path) -> AsyncGenerator[StackWatch]:
    watch = StackWatch(engine, Stack("test", folder, (), folder), await engine.project())
    await watch.start()
    try:
        yield watch
    finally:
        await watch.close()


def lines(pane: Pane) -> list[str]:
    return [row.text for row in pane.log.rows(pane.log.first, pane.log.total) if row.kind == "line"]


def marks(pane: Pane) -> list[str]:
    return [row.text for row in pane.log.rows(pane.log.first, pane.log.total) if row.kind == "mark"]


def written(name: str) -> list[str]:
    """The whole log by docker's own command line, both outputs in the order of the engine's file."""
    command = ["docker", "logs", name]
    return subprocess.run(
        command, check=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ).stdout.split("\n")[:-1]


async def test_restart_kill_and_replacement_lose_and_double_nothing(
    start_stack: Any, docker: Any, tmp_path: Path
) -> None:
    engine = await start_stack(COUNTER)
    await drain(engine.up())
    async with watching(engine, tmp_path) as watch:
        pane = watch.panes["app/1"]
        await until(lambda: pane.log.total > 200 and pane.samples.total, 15)
        assert pane.word == "running" and pane.samples.latest and pane.samples.latest.memory
        await drain(engine.restart(["app"]))
        await until(lambda: marks(pane) and lines(pane)[-1] != "out 0" and pane.log.total > 500, 15)
        assert pane.replica
        first = pane.replica
        docker("kill", first.name)
        await until(lambda: pane.word == "ended", 15)
        await until(lambda: marks(pane)[-1] == "ended with exit code 137", 15)
        assert pane.note == "ended with exit code 137"
        docker("start", first.name)
        await until(lambda: marks(pane)[-1] == "started again" and pane.word == "running", 15)
        await drain(engine.stop())
        await until(lambda: pane.word == "ended" and marks(pane)[-1].startswith("ended"), 15)
        held = lines(pane)
        assert len(held) == pane.log.total - len(marks(pane)), "the ring was too small for this test"
        assert sorted(held) == sorted(written(first.name))
        assert held.count("out 0") == 3

        await drain(engine.up(recreate=True))
        await until(lambda: pane.replica and pane.replica.id != first.id and pane.word == "running", 15)
        await until(lambda: lines(pane).count("out 0") == 4, 15)
        assert pane.replica and f"replaced by a new one: {pane.replica.name}" in marks(pane)
        total = pane.log.total
        await until(lambda: pane.log.total > total + 50, 15)
        await drain(engine.stop())
        await until(lambda: pane.word == "ended" and marks(pane)[-1].startswith("ended"), 15)
        new = lines(pane)[len(held) :]
        assert sorted(new) == sorted(written(pane.replica.name))


async def test_paging_back_through_15_000_lines(start_stack: Any, tmp_path: Path) -> None:
    engine = await start_stack(
        """
        app:
          <<: *base
          command: [bash, -c, 'seq 1 15000; while :; do echo more; sleep 0.05; done']
        """
    )
    await drain(engine.up())
    async with watching(engine, tmp_path) as watch:
        log = watch.panes["app/1"].log
        await until(lambda: log.total > 100, 15)
        await until(lambda: (row := log.row(log.total - 1)) and row.text == "more", 15)
        while await log.load_older(3000):
            pass
        assert log.older == 0
        found = [row.text for row in log.rows(log.first, log.total)]
        assert found[:15000] == [str(number) for number in range(1, 15001)][: len(found)]
        assert set(found[15000:]) == {"more"}


async def test_out_of_memory_is_said(start_stack: Any, tmp_path: Path) -> None:
    engine = await start_stack(
        """
        app:
          <<: *base
          mem_limit: 16m
          memswap_limit: 16m
          command: [bash, -c, 'echo eating; sleep 0.5; tail /dev/zero']
        """
    )
    async with watching(engine, tmp_path) as watch:
        pane = watch.panes["app/1"]
        await until(lambda: pane.word == "down")
        await drain(engine.up())
        await until(lambda: pane.word == "ended" and marks(pane), 20)
        assert "out of memory" in pane.note and "out of memory" in marks(pane)[-1]
        assert lines(pane)[0] == "eating"


ONE_SHOT = """
train:
  <<: *base
  command: [bash, -c, 'echo learning; for i in {1..200}; do [ -e /go/on ] && break; sleep 0.1; done; CODE']
  volumes: ["./go:/go"]
serve:
  <<: *base
  command: [sleep, infinity]
  depends_on: {train: {condition: service_completed_successfully}}
"""


async def test_a_one_shot_is_waited_for_and_then_done(start_stack: Any, tmp_path: Path) -> None:
    engine = await start_stack(ONE_SHOT.replace("CODE", "exit 0"))
    (tmp_path / "go").mkdir()
    stack, project = Stack("test", tmp_path, (), tmp_path), await engine.project()
    said: list[str] = []
    async with watching(engine, tmp_path) as watch:
        train, serve = watch.panes["train/1"], watch.panes["serve/1"]

        async def up() -> None:
            async for update in bring_up(engine, stack, project):
                said.append(f"{update.service}: {update.word}" if isinstance(update, Step) else update.text)

        task = asyncio.create_task(up())
        try:
            await until(lambda: serve.note.startswith("waits for train, running 0:0") and train.word == "running", 30)
            await until(lambda: "serve: waits for train, running" in said, 15)
            assert not task.done() and not serve.well
        finally:
            (tmp_path / "go" / "on").touch()
            await task
        await until(lambda: train.word == "done" and serve.word == "running", 15)
        assert train.well and not train.note and train.replica and took_text(train.replica).startswith("took ")
    assert sorted([step.service async for step in wait_ready(engine, stack, project, timeout=20)]) == ["serve", "train"]


async def test_a_one_shot_that_fails_is_told_with_the_end_of_its_log(start_stack: Any, tmp_path: Path) -> None:
    engine = await start_stack(ONE_SHOT.replace("CODE", "echo no data in /data >&2; exit 3"))
    (tmp_path / "go").mkdir()
    (tmp_path / "go" / "on").touch()
    stack, project = Stack("test", tmp_path, (), tmp_path), await engine.project()
    with pytest.raises(NotReady) as caught:
        [update async for update in bring_up(engine, stack, project)]
    first, *log = str(caught.value).splitlines()
    assert first.startswith("train: ended (exit code 3); sparkdeck logs train tells why")
    assert sorted(log) == ["  learning", "  no data in /data"]
