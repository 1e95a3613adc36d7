"""Search and filter go on into the engine's older lines, and memory stays bounded."""

from __future__ import annotations

import asyncio
import random
import re
import time

import pytest

from tests.deck.harness import Deck, deck_on, scripted
from tests.scripted_engine import ScriptedEngine
from tui.deck import logmodel, lookback
from tui.deck.screens.log import LogScreen
from tui.deck.screens.merged import MergedScreen
from tui.deck.widgets.log import LogView
from tui.engine.interface import Replica
from tui.watch import log_ring, past
from tui.watch.entries import LogEntry

LINES = 6_000
MILLI = 1_000_000
BEGAN = time.time_ns() - 3600 * 1000 * MILLI


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bounds that six thousand lines pass several times over."""
    monkeypatch.setattr(log_ring, "LINES", 300)
    monkeypatch.setattr(log_ring, "HELD_LINES", 800)
    monkeypatch.setattr(past, "WINDOW_LINES", 400)
    for module in (lookback, logmodel):
        monkeypatch.setattr(module, "PAGE", 250)


async def replica(engine: ScriptedEngine, service: str) -> Replica:
    return next(item for item in await engine.replicas() if item.service == service)


def view(deck: Deck) -> LogView:
    assert isinstance(deck.app.screen, LogScreen)
    return deck.app.screen.view


async def at_needle(deck: Deck, number: int) -> None:
    await deck.until(lambda: view(deck).cursor_text().endswith(f"line {number} needle"), f"needle {number}")


def held(deck: Deck) -> int:
    return sum(len(part) for part in view(deck).model.source.parts)


async def long_log() -> ScriptedEngine:
    """Six thousand lines; a needle in every thousand, an error near the beginning."""
    engine = scripted()
    master = await replica(engine, "spark-master")
    for number in range(LINES):
        text = f"26/11/21 11:58:05 INFO X: line {number}"
        if number % 1000 == 100:
            text += " needle"
        if number == 40:
            text = "26/11/21 11:58:05 ERROR X: the first error"
        engine.write(master, text, at_ns=BEGAN + number * MILLI)
    return engine


async def test_search_goes_up_into_older_lines_and_down_again() -> None:
    async with deck_on(await long_log()) as deck:
        await deck.press("enter")
        await deck.until_seen(f"line {LINES - 1}")
        await deck.press("slash", *"needle", "enter")
        for number in (5100, 4100, 3100, 2100, 1100, 100):
            await at_needle(deck, number)
            await deck.until_seen(f"line {number} needle")
            assert held(deck) <= 800 + 300
            await deck.press("n")
        await deck.until(lambda: any("no older match" in text for text in deck.messages))
        assert view(deck).cursor_text().endswith("line 100 needle")
        for number in (1100, 2100, 3100, 4100, 5100):
            await deck.press("N")
            await at_needle(deck, number)
            assert held(deck) <= 800 + 300 + 250
        await deck.press("N")
        await deck.until(lambda: any("no newer match" in text for text in deck.messages))
        await deck.press("G")
        await deck.until_seen(f"line {LINES - 1}")


async def test_no_match_leaves_the_reader_where_he_is() -> None:
    async with deck_on(await long_log()) as deck:
        await deck.press("enter")
        await deck.until_seen(f"line {LINES - 1}")
        await deck.press("k", "k", "k")
        before, first = view(deck).cursor, view(deck).model.source.first
        await deck.press("slash", *"nowhere", "enter")
        await deck.until(lambda: any("no older match" in text for text in deck.messages))
        assert (view(deck).cursor, view(deck).model.source.first) == (before, first)


async def test_esc_stops_a_search(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = await long_log()
    async with deck_on(engine) as deck:
        await deck.press("enter")
        await deck.until_seen(f"line {LINES - 1}")
        began = past.Past.page

        async def stuck(self: past.Past, count: int) -> list[LogEntry]:
            page = await began(self, count)
            await asyncio.Event().wait()
            return page

        monkeypatch.setattr(past.Past, "page", stuck)
        await deck.press("slash", *"needle", "enter")
        await deck.until_seen("searching older lines ... 0 back")
        await deck.press("escape")
        await deck.until(lambda: "searching" not in deck.text())
        assert isinstance(deck.app.screen, LogScreen) and view(deck).follow
        monkeypatch.setattr(past.Past, "page", began)
        await deck.press("n")
        await deck.until(lambda: view(deck).cursor_text().endswith("line 5100 needle"))


async def test_a_filter_looks_back_until_the_view_is_full_or_the_log_ends() -> None:
    engine = await long_log()
    master = await replica(engine, "spark-master")
    async with deck_on(engine) as deck:
        await deck.press("enter")
        await deck.until_seen(f"line {LINES - 1}")
        await deck.press("ampersand", *"needle", "enter")
        for number in range(100, LINES, 1000):
            await deck.until_seen(f"line {number} needle")
        assert "looked at" not in deck.text() and view(deck).follow
        assert held(deck) <= 300
        engine.write(master, "a new needle", "something else")
        await deck.until_seen("a new needle")
        assert "something else" not in deck.text()
        # The lines around a match that is no longer held come back with it.
        await deck.press("g")
        assert view(deck).cursor_text().endswith("line 100 needle")
        await deck.press("escape")
        await deck.until_seen("line 101")
        assert view(deck).cursor_text().endswith("line 100 needle")


async def test_a_level_finds_the_one_error_far_back() -> None:
    async with deck_on(await long_log()) as deck:
        await deck.press("enter")
        await deck.until_seen(f"line {LINES - 1}")
        await deck.press("v", "v")
        await deck.until_seen("the first error")
        assert len(view(deck).model.index) == 1


async def test_a_filter_says_how_far_it_looked_and_enter_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lookback.LookBack.narrow, "__defaults__", (1_000,))
    async with deck_on(await long_log()) as deck:
        await deck.press("enter")
        await deck.until_seen(f"line {LINES - 1}")
        await deck.press("ampersand", *"first error", "enter")
        await deck.until_seen("1,000 older lines looked at")
        for thousand in range(2, 6):
            await deck.press("enter")
            await deck.until_seen(f"{thousand},000 older lines looked at")
        await deck.press("enter")
        await deck.until_seen("the first error")
        assert "looked at" not in deck.text()


async def test_matches_are_bounded_and_none_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logmodel, "MATCHES", 400)
    engine = scripted()
    master = await replica(engine, "spark-master")
    async with deck_on(engine) as deck:
        await deck.press("enter", "ampersand", *"even", "enter")
        for start in range(0, 2_000, 100):
            engine.write(master, *(f"line {n} {'odd' if n % 2 else 'even'}" for n in range(start, start + 100)))
            await deck.until_seen(f"line {start + 98} even")
            assert len(view(deck).model.index) <= 400
        await deck.press("k")
        shown = {entry for number in view(deck).model.index if (entry := view(deck).model.entry(number // 256))}
        numbers = sorted(int(entry.text.split()[1]) for entry in shown)
        assert numbers == list(range(numbers[0], 2_000, 2))


@pytest.mark.parametrize("seed", range(3))
async def test_merged_goes_back_by_time_and_searches(seed: int) -> None:
    chance = random.Random(seed)
    engine = scripted()
    two = [await replica(engine, "mlflow"), await replica(engine, "jupyter")]
    wanted = []
    for number in range(3_000):
        # One writes much, the other little.
        who = two[0] if chance.random() < 0.9 else two[1]
        engine.write(who, f"number {number}" + " needle" * (number == 50), at_ns=BEGAN + number * MILLI)
        wanted.append(number)
    async with deck_on(engine) as deck:
        await deck.press("7", "space", "8", "space", "L")
        assert isinstance(deck.app.screen, MergedScreen)
        await deck.until_seen("number 2999")
        source = view(deck).model.source
        texts = [int(text.split()[1]) for _, text in source.texts()]
        assert texts == list(range(texts[0], 3_000))
        while source.older != 0:
            await source.load_older(700)
            texts = [int(text.split()[1]) for _, text in source.texts()]
            assert texts == list(range(texts[0], 3_000))
        assert texts == wanted
        source.drop_older()
        await deck.press("slash", *"needle", "enter")
        await deck.until_seen("number 50 needle")
        shown = [int(number) for number in re.findall(r"number (\d+)", deck.text())]
        assert len(shown) > 20 and shown == list(range(shown[0], shown[0] + len(shown)))
        await deck.press("ampersand", *"needle", "enter")
        await deck.until(lambda: len(view(deck).model.index) == 1)
        await deck.until_seen("number 50 needle")
