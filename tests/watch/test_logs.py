"""Logs of several replicas as one, and readers that come back: in order, nothing lost, nothing doubled."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from typing import Any

import pytest

from tests.scripted_engine import ScriptedEngine
from tests.watch.conftest import PROJECT, until
from tui.engine.interface import EngineError, EngineGone, LogLine, Replica
from tui.watch import outlast
from tui.watch.logs import Tagged, follow, recent
from tui.watch.outlast import Outlast
from tui.watch.seam import OUT, Bookmark, Row


@pytest.mark.parametrize("seed", range(20))
def test_a_place_goes_on_where_it_was_whatever_the_time_stamps(seed: int) -> None:
    chance = random.Random(seed)
    now, written, read = 10**18, list[Row](), list[Row]()
    place = Bookmark()
    for _ in range(12):
        for _ in range(chance.randrange(60)):
            # Many at one instant, some some microseconds back, now and then a second later.
            now += chance.choice([0, 0, 0, 1, 1000, -50_000, 10**9])
            written.append((now, chance.choice(["same", f"line {len(written)}"]), OUT))
        since = place.again()
        stream = [row for row in written if since is None or row[0] >= since]
        # The stream breaks off anywhere.
        for row in stream[: chance.randrange(len(stream) + 1)]:
            if place.is_new(row):
                read.append(row)
    since = place.again()
    read += [row for row in written if (since is None or row[0] >= since) and place.is_new(row)]
    assert read == written


async def test_logs_come_together_in_the_order_of_time() -> None:
    engine = ScriptedEngine(PROJECT)
    replicas = [engine.add(name) for name in PROJECT.services]
    chance = random.Random(1)
    for number in range(500):
        engine.write(chance.choice(replicas), f"line {number}", at_ns=10**18 + number)
    async with aclosing(recent(engine, replicas, None, silent)) as entries:
        texts = [entry.line.text async for entry in entries]
    assert texts == [f"line {number}" for number in range(500)]
    assert not engine.open_streams
    async with aclosing(recent(engine, replicas, 2, silent)) as entries:
        assert len([entry async for entry in entries]) == 2 * len(replicas)


async def test_leaving_early_closes_every_stream() -> None:
    engine = ScriptedEngine(PROJECT)
    replicas = [engine.add(name) for name in PROJECT.services]
    for replica in replicas:
        engine.write(replica, "one", "two")
    async with aclosing(recent(engine, replicas, None, silent)) as entries:
        assert await anext(entries)
        assert engine.open_streams
    assert not engine.open_streams


async def test_a_log_that_cannot_be_read_stops_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = ScriptedEngine(PROJECT)
    db, web = engine.add("db"), engine.add("web")
    engine.write(db, "hello")
    unreadable(engine, web, monkeypatch)
    told: list[str] = []
    async with aclosing(recent(engine, [web, db], None, told.append)) as entries:
        assert [entry.line.text async for entry in entries] == ["hello"]
    assert told == ["demo-web-1: its log driver cannot be read"]
    async with reading(engine, told=told) as read:
        assert await read(1) == ["hello"]
        engine.write(db, "on")
        assert await read(1) == ["on"]
        await until(lambda: engine.calls["logs"] > 6)
    assert told == ["demo-web-1: its log driver cannot be read"] * 2


async def test_following_goes_on_after_a_restart() -> None:
    engine = ScriptedEngine(PROJECT)
    replica = engine.add("db")
    engine.write(replica, "one", "two")
    async with reading(engine) as read:
        assert await read(2) == ["one", "two"]
        engine.write(replica, "three")
        assert await read(1) == ["three"]
        engine.finish(replica, 1)
        engine.begin(replica)
        engine.write(replica, "four")
        assert await read(1) == ["four"]


async def test_following_goes_on_over_an_outage_and_says_so() -> None:
    engine = ScriptedEngine(PROJECT)
    db, web = engine.add("db"), engine.add("web")
    engine.write(db, "one", at_ns=7)
    engine.write(web, "uno", at_ns=7)
    told: list[str] = []
    async with reading(engine, told=told) as read:
        assert sorted(await read(2)) == ["one", "uno"]
        engine.gone("No engine answers.")
        engine.write(db, "two", at_ns=7)
        await until(lambda: told)
        late = engine.add("worker")
        engine.write(late, "late")
        engine.back()
        assert sorted(await read(2)) == ["late", "two"]
        engine.write(web, "due", at_ns=7)
        assert await read(1) == ["due"]
    assert [text.split(" ")[0] for text in told] == ["No", "The"]


async def test_a_cut_connection_is_not_worth_a_word() -> None:
    engine = ScriptedEngine(PROJECT)
    db = engine.add("db")
    told: list[str] = []
    async with reading(engine, told=told) as read:
        engine.write(db, "one")
        assert await read(1) == ["one"]
        engine.fail("logs", EngineGone("cut"))
        engine.write(db, "two")
        engine.mend("logs")
        assert await read(1) == ["two"]
    assert not told


async def test_following_from_now_on_shows_nothing_old() -> None:
    engine = ScriptedEngine(PROJECT)
    db, web = engine.add("db"), engine.add("web")
    engine.write(db, *map(str, range(100)), at_ns=5)
    async with reading(engine, tail=0) as read:
        await until(lambda: engine.open_streams == 2)
        engine.write(db, "new", at_ns=5)
        assert await read(1) == ["new"]
        engine.write(web, "first")
        assert await read(1) == ["first"]


async def test_following_ends_when_all_are_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outlast, "SURE_SECONDS", 0.05)
    engine = ScriptedEngine(PROJECT)
    db, run = engine.add("db"), engine.add_run("web", "train")
    engine.write(db, "one")
    told: list[str] = []
    patience = Outlast(engine, told.append)
    async with asyncio.timeout(10), aclosing(follow(engine, lambda _: True, None, patience)) as all_:
        assert [entry.line.text for entry in await anext(all_)] == ["one"]
        engine.finish(run, 0)
        engine.finish(db, 0)
        engine.begin(db)
        engine.write(db, "two")
        assert [entry.line.text for entry in await anext(all_)] == ["two"]
        engine.finish(db, 0)
        engine.drop(db)
        assert await anext(all_, None) is None
    assert not engine.open_streams and not told


@pytest.mark.parametrize("skip", [False, True])
async def test_who_writes_much_does_not_hold_up_who_writes_little(skip: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui.watch.logs.WAITING_LINES", 50)
    engine = ScriptedEngine(PROJECT)
    loud, quiet = engine.add("db"), engine.add("web")
    patience = Outlast(engine, lambda text: None)
    read: list[Tagged] = []
    async with asyncio.timeout(10), aclosing(follow(engine, lambda _: True, 0, patience, skip=skip)) as batches:
        first = asyncio.ensure_future(anext(batches))
        await until(lambda: engine.open_streams == 2)
        engine.write(loud, *map(str, range(1000)))
        engine.write(quiet, "hello")
        read += await first
        while not any(entry.line.text == "hello" for entry in read):
            read += await anext(batches)
        # It came although a slow reader has by far not taken all of the other's lines.
        assert len(read) < 1000
        while read[-1].line.text != "999" and not any(entry.line.text == "999" for entry in read):
            await asyncio.sleep(0.02)
            read += await anext(batches)
    lines = [entry for entry in read if entry.replica == loud]
    assert len(lines) + sum(entry.skipped for entry in lines) == 1000
    assert skip == any(entry.skipped for entry in lines)
    if not skip:
        assert [entry.line.text for entry in lines] == [str(number) for number in range(1000)]


def silent(text: str) -> None:
    raise AssertionError(text)


def unreadable(engine: ScriptedEngine, replica: Replica, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of one replica no log can be read."""
    logs = engine.logs

    async def some(replica_id: str, **how: Any) -> AsyncGenerator[LogLine]:
        if replica_id == replica.id:
            engine.calls["logs"] += 1
            raise EngineError("its log driver cannot be read")
        async for line in logs(replica_id, **how):
            yield line

    monkeypatch.setattr(engine, "logs", some)


@asynccontextmanager
async def reading(
    engine: ScriptedEngine, tail: int | None = None, told: list[str] | None = None
) -> AsyncGenerator[Callable[[int], Awaitable[list[str]]]]:
    """Follows all; what it yields reads so many lines."""
    patience = Outlast(engine, silent if told is None else told.append)
    async with aclosing(follow(engine, lambda _: True, tail, patience)) as batches:
        came: asyncio.Queue[str] = asyncio.Queue()

        async def take() -> None:
            async for batch in batches:
                for entry in batch:
                    came.put_nowait(entry.line.text)

        task = asyncio.create_task(take())

        async def read(count: int) -> list[str]:
            async with asyncio.timeout(10):
                return [await came.get() for _ in range(count)]

        yield read
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert came.empty()
    assert not engine.open_streams
