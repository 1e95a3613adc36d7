"""Where there are more streams than places, what is seen has them."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, aclosing
from pathlib import Path

import pytest

from tests.bench.loopback import Engine as Loopback
from tui.engine.choose import open_engine
from tui.engine.docker import api as api_module
from tui.engine.docker import streams
from tui.engine.docker.api import Api, Endpoint
from tui.engine.docker.budget import Budget, Place, most_streams
from tui.engine.interface import EngineGone
from tui.stack.model import Stack
from tui.watch.live import StackWatch


async def test_what_is_seen_comes_first() -> None:
    budget = Budget(2)
    opened: dict[str, Place] = {}
    ends = asyncio.Event()

    async def stream(key: str) -> None:
        async with budget.place(key) as place:
            opened[key] = place
            await ends.wait()
        del opened[key]

    tasks = []
    for key in "abcd":
        tasks.append(asyncio.create_task(stream(key)))
        await asyncio.sleep(0)
    assert list(opened) == ["a", "b"]
    # d is looked at: the first that is not gives way, and is told.
    told = []
    opened["a"].close = lambda: told.append("a")
    budget.attend(["b", "d"])
    await asyncio.sleep(0)
    assert told == ["a"] and opened["a"].gave_way and set(opened) == {"a", "b", "d"}
    # c waits: nobody looks at it, and all places are of what is seen.
    assert not opened["b"].gave_way and "c" not in opened
    # A place that is free again is anybody's.
    tasks[1].cancel()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert "c" in opened
    # One that waits may be given up.
    waiting = asyncio.create_task(stream("e"))
    await asyncio.sleep(0)
    waiting.cancel()
    ends.set()
    await asyncio.gather(*tasks, waiting, return_exceptions=True)
    assert budget._open == budget._waiting == []


async def test_a_stream_that_gives_way_can_be_opened_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api_module, "most_streams", lambda: 1)
    async with AsyncExitStack() as closing:
        server = await closing.enter_async_context(await asyncio.start_server(Loopback("p", 2).serve, "127.0.0.1", 0))
        api = Api(Endpoint("default", f"tcp://127.0.0.1:{server.sockets[0].getsockname()[1]}"))
        closing.push_async_callback(api.close)
        one, two = f"{1:064x}", f"{2:064x}"
        async with asyncio.timeout(30):
            first = await closing.enter_async_context(aclosing(streams.stats(api, one)))
            await anext(first)
            second = await closing.enter_async_context(aclosing(streams.stats(api, two)))
            waiting = asyncio.ensure_future(anext(second))
            await asyncio.sleep(0)
            api.attend([two])
            assert (await waiting).replica_id == two
            with pytest.raises(EngineGone, match="gave way"):
                while True:
                    await anext(first)
            # Queries need no place.
            assert (await api.inspect(one)).id == one
            await second.aclose()
            again = await closing.enter_async_context(aclosing(streams.stats(api, one)))
            assert (await anext(again)).replica_id == one


def test_the_limit_of_open_files_is_the_budgets() -> None:
    assert 1 <= most_streams() <= 800


@pytest.mark.engine
async def test_two_hundred_replicas_over_tcp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    services = "".join(f"  service-{number:02}: {{image: x}}\n" for number in range(1, 201))
    (tmp_path / "compose.yaml").write_text(f"name: p\nservices:\n{services}")
    server = await asyncio.start_server(Loopback("p", 200).serve, "127.0.0.1", 0)
    monkeypatch.setenv("DOCKER_HOST", f"tcp://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    monkeypatch.delenv("DOCKER_CONTEXT", raising=False)
    engine = await open_engine(Stack("test", tmp_path, (tmp_path / "compose.yaml",), tmp_path))
    watch = StackWatch(engine, Stack("test", tmp_path, (tmp_path / "compose.yaml",), tmp_path), await engine.project())
    try:
        await watch.start()
        async with asyncio.timeout(120):
            while not all(pane.samples.total and pane.log.total for pane in watch.panes.values()):  # noqa: ASYNC110
                await asyncio.sleep(0.1)
            # And what is asked meanwhile is answered.
            assert len(await engine.replicas()) == len(watch.panes) == 200
    finally:
        await watch.close()
        await engine.close()
        server.close()
