"""Commands that go on over an outage, and say so once."""

from __future__ import annotations

import asyncio

import pytest

from tests.scripted_engine import ScriptedEngine
from tests.watch.conftest import until
from tui.engine.interface import EngineError, EngineGone, Replica
from tui.watch import outlast
from tui.watch.outlast import Outlast


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outlast, "SURE_SECONDS", 0.02)
    monkeypatch.setattr(outlast, "FIRST_PAUSE", 0.02)


async def test_an_outage_is_waited_for_and_told_once_whoever_waits(engine: ScriptedEngine) -> None:
    db = engine.add("db")
    told: list[str] = []
    patience = Outlast(engine, told.append)
    engine.gone("No engine answers.")
    waiting = [asyncio.create_task(patience.find(db.id)) for _ in range(3)]
    await until(lambda: engine.calls["replicas"] > 6)
    engine.back()
    assert [one and one.id for one in await asyncio.gather(*waiting)] == [db.id] * 3
    assert len(told) == 2 and told[0].startswith("No engine answers. Waiting") and told[1] == "The engine is back."


async def test_a_connection_that_breaks_alone_is_not_worth_a_word(engine: ScriptedEngine) -> None:
    told: list[str] = []
    tries = iter([EngineGone("cut"), None, "read"])

    async def read() -> str | None:
        answer = next(tries)
        if isinstance(answer, EngineGone):
            raise answer
        return answer

    assert await Outlast(engine, told.append).until(read) == "read" and told == []


async def test_what_is_no_outage_is_raised(engine: ScriptedEngine) -> None:
    engine.fail("replicas", "refused")
    with pytest.raises(EngineError, match="refused"):
        await Outlast(engine, lambda text: None).find("db")


async def test_a_replica_is_gone_when_two_looks_say_so(engine: ScriptedEngine) -> None:
    db = engine.add("db")
    looks: list[list[Replica]] = [[], [db]]

    async def replicas() -> list[Replica]:
        return looks.pop(0)

    engine.replicas = replicas  # type: ignore[method-assign]
    patience = Outlast(engine, lambda text: None)
    assert await patience.find(db.id) == db
    looks += [[], []]
    assert await patience.find(db.id) is None
