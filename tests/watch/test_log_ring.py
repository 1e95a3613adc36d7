"""The ring: its bounds, and that no line is lost or doubled on the way back to what the engine has."""

from __future__ import annotations

import random

import pytest

from tests.scripted_engine import ScriptedEngine
from tests.watch.conftest import PROJECT
from tui.engine.interface import EngineError, Replica
from tui.watch import log_ring
from tui.watch.entries import row_of
from tui.watch.log_ring import LogRing
from tui.watch.seam import OUT

LIMIT = 100


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """A ring of a hundred lines shows the same as one of five thousand."""
    monkeypatch.setattr(log_ring, "LINES", LIMIT)


class Feed:
    """A replica whose lines go to the engine and, as its stream would, to the ring."""

    def __init__(self, tail: int | None = 50) -> None:
        self.engine = ScriptedEngine(PROJECT)
        self.replica: Replica = self.engine.add("db")
        self.ring = LogRing(self.engine)
        self.tail = tail
        self.written = 0

    def write(self, count: int, *, at_ns: int | None = None, seen: bool = True) -> None:
        texts = [f"line {number}" for number in range(self.written, self.written + count)]
        self.written += count
        for line in self.engine.write(self.replica, *texts, at_ns=at_ns):
            if seen:
                self.ring.push(row_of(line))

    def attach(self) -> None:
        """As the follower does at the deck's start: the last lines only."""
        lines = self.engine._containers[self.replica.id].lines
        self.ring.begin(self.replica.id, tail=self.tail)
        for line in lines[-self.tail :] if self.tail else lines:
            self.ring.push(row_of(line))


def texts(ring: LogRing) -> list[str]:
    return [row.text for part in ring.parts for row in ring.rows(part.start, part.stop)]


def lines(first: int, end: int) -> list[str]:
    return [f"line {number}" for number in range(first, end)]


def test_bounded_in_lines_and_every_line_is_counted() -> None:
    feed = Feed()
    feed.attach()
    feed.ring.settle(50)
    feed.write(1234)
    ring = feed.ring
    assert (ring.total, ring.first, ring.let_go, ring.older) == (1234, 1134, 1134, 1134)
    assert texts(ring) == lines(1134, 1234)
    assert ring.row(1133) is None and ring.row(1234) is None
    row = ring.row(1200)
    assert row is not None and (row.number, row.text) == (1200, "line 1200")


def test_bounded_in_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_ring, "BYTES", 100_000)
    ring = Feed().ring
    for number in range(500):
        ring.push((number, "x" * 10_000, OUT))
    assert 5 <= ring.total - ring.first <= 10 and ring.total == 500


async def test_what_lies_before_the_start_is_unknown_until_it_was_read() -> None:
    feed = Feed()
    feed.write(130, seen=False)
    feed.attach()
    feed.ring.settle(50)
    ring = feed.ring
    assert ring.older is None and texts(ring) == lines(80, 130)
    assert await ring.load_older(60) == 60
    assert ring.older is None and texts(ring) == lines(20, 130) and ring.first == -60
    assert await ring.load_older(60) == 20
    assert ring.older == 0 and texts(ring) == lines(0, 130)
    assert await ring.load_older(60) == 0


@pytest.mark.parametrize("seed", range(20))
async def test_paging_loses_and_doubles_nothing_whatever_the_time_stamps(seed: int) -> None:
    chance = random.Random(seed)
    feed = Feed()
    now = 10**18

    def some(count: int, *, seen: bool) -> None:
        nonlocal now
        for _ in range(count):
            # Many at one instant, some some microseconds back, now and then a second later.
            now += chance.choice([0, 0, 0, 1, 1000, -50_000, 10**9])
            feed.write(1, at_ns=now, seen=seen)

    some(chance.randrange(400), seen=False)
    feed.attach()
    some(chance.randrange(600), seen=True)
    ring = feed.ring
    while await ring.load_older(chance.choice([1, 7, 150])):
        some(chance.randrange(5), seen=True)
    some(150, seen=True)
    while len(ring.parts) > 1:
        assert await ring.load(ring.parts[0].stop - 1, 40)
    assert texts(ring) == lines(0, feed.written) and ring.older == 0


async def test_all_at_one_instant() -> None:
    feed = Feed()
    feed.write(90, at_ns=7, seen=False)
    feed.attach()
    feed.write(90, at_ns=7)
    while await feed.ring.load_older(30):
        pass
    assert texts(feed.ring) == lines(0, 180)


async def test_equal_lines_are_as_many_as_there_were() -> None:
    feed = Feed()
    feed.engine.write(feed.replica, *["same"] * 90, at_ns=7)
    feed.attach()
    assert await feed.ring.load_older(1000) == 40
    assert texts(feed.ring) == ["same"] * 90


async def test_a_reader_holds_on_and_a_gap_says_how_much_it_leaves_out() -> None:
    feed = Feed(tail=None)
    feed.attach()
    feed.write(LIMIT)
    ring = feed.ring
    ring.hold()
    feed.write(50)
    assert [*ring.parts] == [range(0, 150)]
    feed.write(250)
    assert [*ring.parts] == [range(0, 101), range(300, 400)]
    gap = ring.row(100)
    assert gap is not None and (gap.kind, gap.skipped) == ("gap", 200)
    assert texts(ring) == [*lines(0, 100), "200 lines skipped", *lines(300, 400)]
    assert ring.row(150) is None
    assert await ring.load(100, 120) == 120
    gap = ring.row(220)
    assert gap is not None and gap.skipped == 80
    assert await ring.load(100) == 0
    assert await ring.load(220) == 80
    assert [*ring.parts] == [range(0, 400)] and texts(ring) == lines(0, 400)
    ring.drop_older()
    assert texts(ring) == lines(300, 400) and ring.older == 300


async def test_marks_keep_their_place() -> None:
    feed = Feed(tail=None)
    feed.attach()
    feed.write(10)
    feed.ring.mark(1, "restarted")
    feed.write(200)
    assert feed.ring.older == 111
    while await feed.ring.load_older(30):
        pass
    assert texts(feed.ring) == [*lines(0, 10), "restarted", *lines(10, 210)]
    feed.ring.drop_older()
    feed.ring.hold()
    feed.ring.mark(1, "again")
    feed.write(150)
    assert await feed.ring.load(feed.ring.parts[0].stop - 1) == 50
    assert texts(feed.ring) == [*lines(110, 210), "again", *lines(210, 360)]


async def test_what_a_replaced_replica_wrote_went_with_it() -> None:
    feed = Feed()
    feed.attach()
    feed.write(30)
    feed.replica = feed.engine.recreate(feed.replica)
    feed.ring.begin(feed.replica.id, tail=None)
    feed.ring.mark(1, "replaced")
    feed.write(120)
    ring = feed.ring
    assert (ring.first, ring.older) == (51, 51)
    assert await ring.load_older(1000) == 20
    assert texts(ring) == ["30 older lines are no longer in the engine's log", "replaced", *lines(30, 150)]
    assert ring.older == 0 and await ring.load_older() == 0


async def test_a_log_that_the_engine_cut_says_so() -> None:
    feed = Feed()
    feed.attach()
    feed.write(300)
    feed.ring.hold()
    feed.write(300)
    del feed.engine._containers[feed.replica.id].lines[:450]
    assert await feed.ring.load_older() == 0
    assert texts(feed.ring)[:2] == ["200 older lines are no longer in the engine's log", "line 200"]
    assert await feed.ring.load(300) == 0
    lost = feed.ring.row(300)
    assert lost is not None and (lost.kind, lost.skipped) == ("mark", 200)


async def test_a_failed_load_can_be_tried_again() -> None:
    feed = Feed()
    feed.attach()
    feed.write(300)
    feed.engine.fail("logs", "no")
    with pytest.raises(EngineError, match="no"):
        await feed.ring.load_older()
    feed.engine.mend("logs")
    assert await feed.ring.load_older() == 200


@pytest.mark.parametrize("seed", range(10))
async def test_a_stream_goes_on_where_it_stopped(seed: int) -> None:
    chance = random.Random(seed)
    feed = Feed(tail=5)
    now = 10**18
    read: int | None = None
    for _ in range(20):
        for _ in range(chance.randrange(12)):
            now += chance.choice([0, 0, 1000, -50_000, 10**9])
            feed.write(1, at_ns=now, seen=False)
        if read is None:
            feed.attach()
            read = feed.written - feed.ring.total
            continue
        seam = feed.ring.seam()
        async for line in feed.engine.logs(feed.replica.id, since_ns=seam.since_ns):
            if seam.is_new(row_of(line)):
                feed.ring.push(row_of(line))
    assert read is not None and texts(feed.ring)[-LIMIT:] == lines(read, feed.written)[-LIMIT:]
