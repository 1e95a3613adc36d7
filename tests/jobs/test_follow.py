"""The end of a run is known with its last lines, whether or not its log is read meanwhile."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

import pytest

from tests.deck.fakes import layout_stack
from tests.deck.harness import scripted
from tests.scripted_engine import ScriptedEngine
from tests.watch.conftest import until
from tui.engine.interface import EngineError, LogLine
from tui.jobs.follow import Ended, RunUpdate, follow
from tui.jobs.submit import Run, run_of
from tui.watch import outlast


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outlast, "FIRST_PAUSE", 0.02)
    monkeypatch.setattr(outlast, "SURE_SECONDS", 0.02)


class Listener:
    """Somebody who follows a run."""

    def __init__(self, engine: ScriptedEngine, run: Run, *, lines: bool = True) -> None:
        self.updates: list[RunUpdate] = []
        self.told: list[str] = []
        self._engine, self._run, self._lines = engine, run, lines

    async def listen(self) -> None:
        engine = self._engine
        project = await engine.project()
        stream = follow(engine, layout_stack(), project, self._run, lines=self._lines, told=self.told.append)
        async with aclosing(stream):
            async for update in stream:
                self.updates.append(update)

    @property
    def texts(self) -> list[str]:
        return [update.text for update in self.updates if isinstance(update, LogLine)]

    @property
    def ended(self) -> Ended:
        assert isinstance(self.updates[-1], Ended)
        return self.updates[-1]


@pytest.mark.parametrize("lines", [True, False])
@pytest.mark.parametrize("ends_meanwhile", [True, False])
async def test_a_run_is_followed_over_an_outage(lines: bool, ends_meanwhile: bool) -> None:
    engine = scripted()
    replica = engine.add_run("spark-submit", "flight-delay-abc123", labels={"job": "flight-delay"})
    engine.write(replica, "one", "two", "two")
    listener = Listener(engine, run_of(replica), lines=lines)
    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        group.create_task(listener.listen())
        await until(lambda: bool(engine.calls["logs" if lines else "events"]))
        engine.gone("No engine answers.")
        await until(lambda: len(listener.told) == 1)
        engine.write(replica, "two", "three")
        engine.back()
        await until(lambda: len(listener.told) == 2)
        engine.gone("No engine answers.")
        await until(lambda: len(listener.told) == 3)
        engine.write(replica, "two", "four")
        if ends_meanwhile:
            engine.finish(replica, 7)
        engine.back()
        await until(lambda: len(listener.told) == 4)
        if not ends_meanwhile:
            engine.write(replica, "last")
            engine.finish(replica, 7)
    written = ["one", "two", "two", "two", "three", "two", "four", *([] if ends_meanwhile else ["last"])]
    assert listener.texts == (written if lines else []) and list(listener.ended.tail) == written
    assert listener.ended.exit_code == 7
    assert (
        listener.told[::2]
        == ["No engine answers. Waiting until the engine is back; what it runs may go on meanwhile."] * 2
    )
    assert not engine.open_streams


async def test_a_cut_connection_is_no_outage() -> None:
    engine = scripted()
    replica = engine.add_run("spark-submit", "flight-delay-abc123")
    engine.write(replica, "one")
    listener = Listener(engine, run_of(replica))
    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        group.create_task(listener.listen())
        await until(lambda: listener.texts == ["one"])
        engine.gone("cut")
        engine.back()
        await asyncio.sleep(0)
        engine.write(replica, "two")
        engine.finish(replica, 0)
    assert listener.texts == ["one", "two"] and listener.ended.exit_code == 0 and listener.told == []


async def test_a_log_that_cannot_be_read_does_not_hide_the_end() -> None:
    engine = scripted()
    replica = engine.add_run("spark-submit", "flight-delay-abc123")
    engine.fail("logs", "its logging driver keeps nothing")
    listener = Listener(engine, run_of(replica))
    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        group.create_task(listener.listen())
        await until(lambda: bool(engine.calls["events"]))
        engine.finish(replica, 3)
    assert listener.ended.exit_code == 3 and listener.told == ["its logging driver keeps nothing"]


async def test_a_run_that_somebody_removes() -> None:
    engine = scripted()
    replica = engine.add_run("spark-submit", "flight-delay-abc123")
    listener = Listener(engine, run_of(replica), lines=False)
    async with asyncio.timeout(20):
        task = asyncio.create_task(listener.listen())
        await until(lambda: bool(engine.calls["events"]))
        engine.drop(replica)
        with pytest.raises(EngineError, match="was removed while it was followed"):
            await task


@pytest.mark.parametrize("lines", [True, False])
@pytest.mark.parametrize("late", [True, False])
async def test_a_run_is_followed_to_its_end(lines: bool, late: bool) -> None:
    engine = scripted()
    replica = engine.add_run("spark-submit", "flight-delay-abc123", labels={"job": "flight-delay"})
    engine.write(replica, *(f"line {number}" for number in range(50)))
    run = run_of(replica)
    if not late:
        engine.finish(replica, 3)
    listener = Listener(engine, run, lines=lines)
    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        group.create_task(listener.listen())
        if late:
            await until(lambda: bool(engine.calls["logs" if lines else "events"]))
            assert lines or not engine.open_streams
            engine.finish(replica, 3)
    ended = listener.ended
    assert ended.exit_code == 3 and ended.tail[-1] == "line 49"
    assert listener.texts == list(ended.tail if lines else ())
    assert not engine.open_streams
