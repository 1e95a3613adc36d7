"""Several logs as one, by time: begun with few rows, all of them on the way back."""

from __future__ import annotations

from typing import Any, cast

from tests.deck.fakes import FakeLog, FakePane, replica
from tui.deck.merged import FIRST_ROWS, MergedLog
from tui.stack.model import Role
from tui.watch.live import Pane
from tui.watch.log_ring import LINES, LogRing


def merged_of(logs: list[Any]) -> MergedLog:
    """Panes with these logs."""
    panes = [FakePane(f"{n}/1", str(n), None, Role.APP, replica("x"), log=log) for n, log in enumerate(logs)]
    return MergedLog(cast("list[Pane]", panes))


def rings(count: int) -> list[LogRing]:
    """As full as they get, of replicas that have written nothing before; they write in turn."""
    made = [LogRing(cast("Any", None)) for _ in range(count)]
    for place, ring in enumerate(made):
        ring.begin("one", tail=None)
        for number in range(LINES):
            ring.push((number * count + place, f"{number} of {place}", 0))
    return made


async def test_full_logs_begin_with_few_rows_and_lose_none() -> None:
    merged = merged_of(rings(4))
    assert merged.total - merged.first <= FIRST_ROWS, "what grows with the logs is not worked out at once"
    assert [row.text for row in merged.rows(merged.total - 2, merged.total)] == ["4999 of 2", "4999 of 3"]
    while merged.older != 0:
        await merged.load_older(5000)
    rows = merged.rows(merged.first, merged.total)
    assert [row.text for row in rows] == [f"{at // 4} of {at % 4}" for at in range(4 * LINES)]
    assert [row.number for row in rows] == list(range(merged.first, merged.total))
    # Back at the end it begins again.
    merged.drop_older()
    assert merged.total - merged.first <= FIRST_ROWS


def test_merged_rows_stand_in_the_order_of_time() -> None:
    logs = [FakeLog(), FakeLog()]
    logs[0].write("a", "b", at=0)
    logs[1].write("c", at=0.1)
    merged = merged_of(logs)
    assert [entry.text for entry in merged.rows(0, 9)] == ["a", "c", "b"]
    # The later line of the one waits for the earlier one of the other.
    logs[0].write("late", at=5)
    merged.pull()
    logs[1].write("early", at=4)
    merged.pull()
    merged.pull()
    assert [entry.text for entry in merged.rows(3, 9)] == ["early", "late"]
    assert [entry.owner for entry in merged.rows(0, 9)] == [0, 1, 0, 1, 0]


async def test_older_rows_of_a_merged_log_keep_the_numbers_of_the_others() -> None:
    log = FakeLog()
    log.write(*(f"line {number}" for number in range(10)))
    log.let_go(6)
    merged = merged_of([log])
    before = {entry.text: entry.number for entry in merged.rows(merged.first, merged.total)}
    assert await merged.load_older() == 6
    after = {entry.text: entry.number for entry in merged.rows(merged.first, merged.total)}
    assert len(after) == 10 and all(after[text] == number for text, number in before.items())
