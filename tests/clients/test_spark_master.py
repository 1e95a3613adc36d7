"""The Spark master's answer, from three releases of Spark."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from aiohttp import web

from tui.clients.http import MIB, ClientError, Trouble
from tui.clients.spark_master import MasterClient, MasterState, Worker

Serve = Callable[[Callable[[web.Request], Awaitable[web.StreamResponse]]], Awaitable[str]]


def worker(id: str, state: str, beat: int, web_ui: str = "http://w1:8081", port: int = 40000) -> Worker:
    return Worker(
        id=id,
        host="w1",
        state=state,
        cores=2,
        cores_used=0,
        memory_mib=1024,
        memory_used_mib=0,
        port=port,
        web_ui=web_ui,
        last_heartbeat=beat,
    )


@pytest.mark.parametrize("name", ["sp35-master_after", "sp41-master", "sp43-master"])
async def test_a_real_answer_of_each_release(serve: Serve, captures: Path, name: str) -> None:
    async def answer(request: web.Request) -> web.Response:
        assert request.path == "/json/"
        return web.Response(body=(captures / f"{name}.json").read_bytes(), content_type="text/json")

    async with MasterClient(await serve(answer)) as client:
        state = await client.state()
    assert state.status == "ALIVE"
    assert [w.cores for w in state.alive_workers()] == [2, 2]
    assert (state.cores, state.memory) == (4, 2048 * MIB)
    assert state.workers[0].memory == 1024 * MIB
    app = (*state.active, *state.completed)[0]
    assert (app.name, app.user, app.cores, app.memory_per_executor_mib) == ("r3 probe", "root", 4, 700)
    assert app.state == ("FINISHED" if name.startswith("sp35") else "RUNNING")
    assert state.application(app.id) is app
    assert state.application("app-0-0") is None


def test_times_and_use(captures: Path) -> None:
    state = msgspec.json.decode((captures / "sp41-master.json").read_bytes(), type=MasterState)
    assert state.active[0].started_at == datetime(2026, 11, 20, 15, 11, 53, 845000, tzinfo=UTC)
    assert (state.cores_used, state.memory_used) == (4, 1400 * MIB)
    assert state.workers[0].memory_used == 700 * MIB


@pytest.mark.parametrize("backwards", [False, True])
def test_a_restarted_worker_counts_once(captures: Path, backwards: bool) -> None:
    state = msgspec.json.decode((captures / "sp41-master.json").read_bytes(), type=MasterState)
    former = worker("worker-20261120100000-a", "DEAD", 1000)
    present = worker("worker-20261120110000-b", "ALIVE", 2000, port=40001)
    other = worker("worker-20261120100000-c", "DEAD", 1500, web_ui="http://w1:8082")
    workers = (former, present, other)
    state = msgspec.structs.replace(state, workers=workers[::-1] if backwards else workers)
    assert {w.id for w in state.current_workers()} == {present.id, other.id}
    assert state.alive_workers() == [present]


def test_a_worker_that_died_after_its_restart_is_dead(captures: Path) -> None:
    state = msgspec.json.decode((captures / "sp41-master.json").read_bytes(), type=MasterState)
    first, second = worker("a", "DEAD", 1000), worker("b", "DEAD", 2000)
    state = msgspec.structs.replace(state, workers=(second, first))
    assert state.current_workers() == [second]
    assert state.alive_workers() == []


@pytest.mark.parametrize("body", ["{}", '{"url": "x", "status": "ALIVE"}', "<html></html>"])
async def test_something_else_on_the_port(serve: Serve, body: str) -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(text=body)

    async with MasterClient(await serve(answer)) as client:
        with pytest.raises(ClientError, match="Check that the Spark master is what runs there") as caught:
            await client.state()
    assert caught.value.kind is Trouble.ANSWER
