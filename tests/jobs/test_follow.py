"""The end of a run is known with its last lines, whether or not its log is read meanwhile."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

import pytest

from tests.deck.fakes import layout_stack
from tests.deck.harness import scripted
from tui.engine.interface import LogLine, Replica
from tui.jobs.follow import Ended, RunUpdate, follow
from tui.jobs.submit import run_of


@pytest.mark.parametrize("lines", [True, False])
@pytest.mark.parametrize("late", [True, False])
async def test_a_run_is_followed_to_its_end(lines: bool, late: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = scripted()
    replica = engine.add_run("spark-submit", "flight-delay-abc123", labels={"job": "flight-delay"})
    engine.write(replica, *(f"line {number}" for number in range(50)))
    run = run_of(replica)
    if not late:
        engine.finish(replica, 3)
    updates: list[RunUpdate] = []

    asked = asyncio.Event()
    replicas = engine.replicas

    async def answer() -> list[Replica]:
        # What is asked before the log, or after the events, are begun to be read.
        asked.set()
        return await replicas()

    monkeypatch.setattr(engine, "replicas", answer)

    async def listen() -> None:
        stream = follow(engine, layout_stack(), await engine.project(), run, lines=lines)
        async with aclosing(stream):
            async for update in stream:
                updates.append(update)

    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        group.create_task(listen())
        if late:
            await asyncio.wait_for(asked.wait(), 10)
            assert lines or not engine.open_streams
            engine.finish(replica, 3)
    ended = updates[-1]
    assert isinstance(ended, Ended) and ended.exit_code == 3 and ended.tail[-1] == "line 49"
    assert [update.text for update in updates if isinstance(update, LogLine)] == list(ended.tail if lines else ())
    assert not engine.open_streams
