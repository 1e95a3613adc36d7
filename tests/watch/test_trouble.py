"""What nobody expected: whatever an engine's call raises or leaves out, nothing false is shown, and all recovers."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.scripted_engine import ScriptedEngine
from tests.watch.conftest import until
from tests.watch.test_live import shown
from tui.engine.interface import Health, Replica
from tui.watch import host, live
from tui.watch.host import Host
from tui.watch.live import StackWatch

ERRORS = [RuntimeError("boom"), KeyError("Names"), RecursionError("maximum recursion depth exceeded")]


@pytest.fixture(params=ERRORS, ids=lambda error: type(error).__name__)
def error(request: pytest.FixtureRequest) -> Exception:
    made: Exception = request.param
    return made


async def seen(watch: StackWatch, engine: ScriptedEngine) -> Replica:
    """A watch that has seen a healthy replica, a line and a sample."""
    db = engine.add("db", health=Health.HEALTHY)
    engine.write(db, "one")
    engine.sample(db, cpu_percent=1.0)
    await watch.start()
    pane = watch.panes["db/1"]
    await until(lambda: pane.word == "healthy" and pane.log.total == 1 and pane.samples.latest)
    return db


@pytest.mark.parametrize("call", ["replicas", "events"])
async def test_a_watch_that_fails_shows_nothing_as_true_and_goes_on(
    watch: StackWatch, engine: ScriptedEngine, call: str, error: Exception
) -> None:
    db = await seen(watch, engine)
    pane = watch.panes["db/1"]
    engine.fail(call, error)
    # The stream of events ends, and is asked for again.
    engine.gone()
    await until(lambda: watch.outage)
    engine.back()
    await until(lambda: watch.outage and watch.outage.ours)
    assert pane.word == "unknown" and pane.condition.reason == "a part of SparkDeck failed"
    assert type(error).__name__ in watch.supervisor.failures["the watch of the engine"].error
    assert watch.outage and type(error).__name__ in watch.outage.text
    engine.write(db, "two")
    engine.mend(call)
    await watch.refresh()
    await until(lambda: pane.word == "healthy" and watch.outage is None)
    engine.write(db, "three")
    await until(lambda: pane.log.total == 3)
    assert shown(pane) == ["one", "two", "three"]


async def test_a_log_that_fails_says_so_once_and_goes_on(
    watch: StackWatch, engine: ScriptedEngine, error: Exception
) -> None:
    db = await seen(watch, engine)
    pane = watch.panes["db/1"]
    engine.fail("logs", error)
    await until(lambda: engine.calls["logs"] > 2)
    assert [failure.part for failure in watch.supervisor.failures.values()] == ["the log of db/1"]
    engine.write(db, "two")
    engine.mend("logs")
    await until(lambda: "two" in shown(pane))
    first, mark, second = shown(pane)
    assert (first, second) == ("one", "two")
    assert mark.startswith(f"<a part of SparkDeck failed: {type(error).__name__}") and pane.word == "healthy"


async def test_samples_that_fail_are_unknown_until_new_ones_come(
    watch: StackWatch, engine: ScriptedEngine, error: Exception
) -> None:
    db = await seen(watch, engine)
    pane = watch.panes["db/1"]
    engine.fail("stats", error)
    await until(lambda: pane.samples.latest is None)
    assert "the samples of db/1" in watch.supervisor.failures
    engine.mend("stats")
    engine.sample(db, cpu_percent=2.0)
    await until(lambda: pane.samples.latest)
    assert pane.samples.cpu(9)[-1] == 2.0


async def test_what_the_machine_does_is_unknown_while_nobody_can_look(
    watch: StackWatch, engine: ScriptedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "HOST_SECONDS", 0.01)
    await watch.start()
    await until(lambda: watch.host != host.NOTHING_YET)

    def look() -> Host:
        raise RuntimeError("no /proc")

    with monkeypatch.context() as failing:
        failing.setattr(host, "look", look)
        await until(lambda: watch.supervisor.failures)
        await until(lambda: watch.host == host.NOTHING_YET)
    await until(lambda: watch.host != host.NOTHING_YET)


async def test_a_replica_that_one_look_misses_is_not_gone(watch: StackWatch, engine: ScriptedEngine) -> None:
    db = await seen(watch, engine)
    run = engine.add_run("web", "train")
    await until(lambda: "train" in watch.panes)
    pane, replicas = watch.panes["db/1"], engine.replicas
    await miss(engine, watch, 1)
    assert pane.word == "healthy" and watch.panes["train"].replica == run
    engine.write(db, "two")
    await until(lambda: pane.log.total == 2)
    assert shown(pane) == ["one", "two"] and engine.replicas != replicas


async def test_what_came_back_after_all_goes_on(watch: StackWatch, engine: ScriptedEngine) -> None:
    db = await seen(watch, engine)
    pane = watch.panes["db/1"]
    engine.fail("logs", "cut")
    await miss(engine, watch, 4)
    await until(lambda: pane.replica is None)
    engine.mend("logs")
    await watch.refresh()
    assert pane.word == "healthy"
    engine.write(db, "two")
    await until(lambda: "two" in shown(pane))
    assert [row for row in shown(pane) if not row.startswith("<")] == ["one", "two"]


async def miss(engine: ScriptedEngine, watch: StackWatch, looks: int) -> None:
    """So many looks find nothing."""
    real: Callable[[], object] = engine.replicas
    left = looks

    async def replicas() -> list[Replica]:
        nonlocal left
        left -= 1
        return [] if left >= 0 else await real()  # type: ignore[misc]

    engine.replicas = replicas  # type: ignore[method-assign]
    for _ in range(looks):
        await watch.refresh()
