"""The watch on a real engine: what its log shows is what the engine's log has, through everything that happens."""

from __future__ import annotations

import subprocess
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.engine_docker import conftest
from tests.watch.conftest import until
from tui.engine.interface import Engine, drain
from tui.stack.model import Stack
from tui.watch.live import Pane, StackWatch

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
