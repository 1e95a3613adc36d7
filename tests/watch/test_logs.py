"""Logs of several replicas as one, and readers that come back: in order, nothing lost, nothing doubled."""

from __future__ import annotations

import asyncio
import random
from contextlib import aclosing

import pytest

from tests.scripted_engine import ScriptedEngine
from tests.watch.conftest import PROJECT
from tui.watch.logs import follow, recent
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
    async with aclosing(recent(engine, replicas, None)) as entries:
        texts = [entry.line.text async for entry in entries]
    assert texts == [f"line {number}" for number in range(500)]
    assert not engine.open_streams
    async with aclosing(recent(engine, replicas, 2)) as entries:
        assert len([entry async for entry in entries]) == 2 * len(replicas)


async def test_leaving_early_closes_every_stream() -> None:
    engine = ScriptedEngine(PROJECT)
    replicas = [engine.add(name) for name in PROJECT.services]
    for replica in replicas:
        engine.write(replica, "one", "two")
    async with aclosing(recent(engine, replicas, None)) as entries:
        assert await anext(entries)
        assert engine.open_streams
    assert not engine.open_streams


async def test_following_goes_on_after_a_restart() -> None:
    engine = ScriptedEngine(PROJECT)
    replica = engine.add(next(iter(PROJECT.services)))
    engine.write(replica, "one", "two")
    async with asyncio.timeout(10), aclosing(follow(engine, lambda _: True, None)) as entries:
        assert [(await anext(entries)).line.text for _ in range(2)] == ["one", "two"]
        engine.write(replica, "three")
        assert (await anext(entries)).line.text == "three"
        engine.finish(replica, 1)
        engine.begin(replica)
        engine.write(replica, "four")
        assert (await anext(entries)).line.text == "four"
