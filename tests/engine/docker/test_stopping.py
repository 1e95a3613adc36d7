"""Whatever is broken off leaves no process, no task, no thread and no open connection."""

from __future__ import annotations

import asyncio
import gc
import threading
import warnings
from contextlib import aclosing
from pathlib import Path
from typing import Any

import psutil
import pytest

from tui.engine.interface import EngineGone, RunRequest

pytestmark = [
    pytest.mark.engine,
    pytest.mark.filterwarnings("error::ResourceWarning"),
    pytest.mark.filterwarnings("error::pytest.PytestUnraisableExceptionWarning"),
]


def children() -> set[int]:
    return {child.pid for child in psutil.Process().children(recursive=True)}


async def test_a_broken_off_build_leaves_nothing(start_stack: Any, tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM debian:bookworm-slim\nRUN echo begun && sleep 300\n")
    engine = await start_stack("a: {build: .}")
    # The event loop's own pool keeps its thread.
    await asyncio.to_thread(threading.get_ident)
    before, tasks, threads = children(), asyncio.all_tasks(), threading.active_count()
    async with asyncio.timeout(60), aclosing(engine.up()) as steps:
        async for step in steps:
            if step.text.endswith("begun") and "RUN" not in step.text:
                assert children() > before
                break
    assert children() == before
    assert asyncio.all_tasks() == tasks and threading.active_count() == threads
    begun = asyncio.Event()

    async def build() -> None:
        async with aclosing(engine.build()) as steps:
            async for _ in steps:
                begun.set()

    task = asyncio.create_task(build())
    async with asyncio.timeout(60):
        await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert children() == before
    assert await engine.replicas() == []


async def test_broken_off_streams_leave_nothing(start_stack: Any, project_name: str) -> None:
    engine = await start_stack("a: {<<: *base, command: [sleep, infinity]}")
    loop = ["sh", "-c", "while :; do echo x; done"]
    replica = await engine.start_run(RunRequest("a", loop, f"{project_name}-job", {"run": "1"}))
    tasks, threads = asyncio.all_tasks(), threading.active_count()
    connections = len(psutil.Process().net_connections("unix"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(5):
            for stream in (engine.logs(replica.id, follow=True), engine.stats(replica.id), engine.events()):
                with pytest.raises(TimeoutError):
                    async with asyncio.timeout(0.3), aclosing(stream):
                        async for _ in stream:
                            await asyncio.sleep(0)
        # Many more streams at once than aiohttp's connections by default.
        many = [engine.logs(replica.id, follow=True, tail=1) for _ in range(120)]
        async with asyncio.timeout(60):
            await asyncio.gather(*(anext(stream) for stream in many))
            await engine.replicas()
            for stream in many:
                await stream.aclose()
        await asyncio.sleep(0)
        gc.collect()
        assert asyncio.all_tasks() == tasks and threading.active_count() == threads
        assert len(psutil.Process().net_connections("unix")) <= connections
        await engine.close()
        gc.collect()


async def test_what_is_open_when_the_engine_is_closed_ends(start_stack: Any, project_name: str) -> None:
    engine = await start_stack("a: {<<: *base, command: [sleep, infinity]}")
    request = RunRequest("a", ["sleep", "600"], f"{project_name}-job", {"run": "1"})
    replica = await engine.start_run(request)

    async def to_end(stream: Any) -> None:
        async with aclosing(stream):
            async for _ in stream:
                pass

    streams = (engine.logs(replica.id, follow=True), engine.stats(replica.id), engine.events())
    waiting = [asyncio.create_task(to_end(stream)) for stream in streams]
    async with asyncio.timeout(10):
        async with aclosing(engine.stats(replica.id)) as samples:
            await anext(samples)
        await engine.close()
        ends = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(end) for end in ends] == [EngineGone] * 3, ends
    with pytest.raises(EngineGone, match="closed"):
        await engine.replicas()
