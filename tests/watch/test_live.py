"""What a watch shows of a scripted engine: states, restarts, replacements, outages, and its end."""

from __future__ import annotations

import asyncio

import pytest

from tests.scripted_engine import ScriptedEngine
from tests.watch.conftest import until
from tui.engine.interface import Health, State
from tui.stack.model import Stack
from tui.watch import follower
from tui.watch.live import Pane, StackWatch


def shown(pane: Pane) -> list[str]:
    """A pane's log, marks in angle brackets."""
    rows = pane.log.rows(pane.log.first, pane.log.total)
    return [f"<{row.text}>" if row.kind == "mark" else row.text for row in rows]


async def test_panes_are_those_of_the_project_then_replicas_then_runs(
    watch: StackWatch, engine: ScriptedEngine
) -> None:
    assert list(watch.panes) == ["db/1", "web/1", "worker/1", "worker/2"]
    assert {pane.word for pane in watch.panes.values()} == {"unknown"}
    await watch.start()
    await watch.refresh()
    assert {pane.word for pane in watch.panes.values()} == {"down"}
    engine.add("worker", 3)
    engine.add("extra")
    engine.add_run("web", "first")
    engine.add_run("web", "second")
    await until(lambda: len(watch.panes) == 8)
    keys = ["db/1", "web/1", "worker/1", "worker/2", "worker/3", "extra/1", "second", "first"]
    assert list(watch.panes) == keys
    assert [watch.panes[key].name for key in ("db/1", "worker/3", "extra/1", "second")] == [
        "db",
        "worker-3",
        "extra-1",
        "second",
    ]
    assert watch.panes["second"].is_run and not watch.panes["db/1"].is_run
    same = watch.panes["worker/1"]
    engine.drop("first")
    await until(lambda: "first" not in watch.panes)
    assert watch.panes["worker/1"] is same


async def test_words_and_notes(watch: StackWatch, engine: ScriptedEngine) -> None:
    db = engine.add("db", health=Health.STARTING)
    engine.add("web", state=State.CREATED)
    await watch.start()
    pane, web = watch.panes["db/1"], watch.panes["web/1"]
    await until(lambda: pane.word == "starting")
    assert web.word == "created" and not web.well
    assert web.note.startswith("waits for db, starting 0:0")
    before = pane.version
    engine.change(db, health=Health.HEALTHY)
    await until(lambda: pane.well)
    assert pane.word == "healthy" and pane.version > before
    engine.change(db, health=Health.UNHEALTHY, health_output="no\nluck")
    await until(lambda: pane.word == "unhealthy")
    assert pane.note == "no luck"
    engine.finish(db, 137, out_of_memory=True)
    await until(lambda: pane.word == "ended")
    assert pane.note == "ended with exit code 137, out of memory"


async def test_one_look_for_a_burst_of_events_and_none_without(watch: StackWatch, engine: ScriptedEngine) -> None:
    await watch.start()
    await watch.refresh()
    looks = engine.calls["replicas"]
    for number in range(1, 10):
        engine.add("worker", number)
    await until(lambda: len(watch.panes) == 11)
    assert engine.calls["replicas"] == looks + 1
    await asyncio.sleep(0.3)
    assert engine.calls["replicas"] == looks + 1


async def test_a_restart_goes_on_in_the_same_log(watch: StackWatch, engine: ScriptedEngine) -> None:
    db = engine.add("db")
    engine.write(db, "one", "two", at_ns=1_000)
    await watch.start()
    pane = watch.panes["db/1"]
    await until(lambda: pane.log.total == 2)
    engine.write(db, "three", "last words", at_ns=1_000)
    engine.finish(db, 1)
    await until(lambda: shown(pane)[-1] == "<ended with exit code 1>")
    engine.begin(db)
    engine.write(db, "again", at_ns=1_000)
    await until(lambda: "again" in shown(pane))
    end = ["<ended with exit code 1>", "<started again>"]
    assert shown(pane) == ["one", "two", "three", "last words", *end, "again"]


async def test_a_restart_within_one_look_is_one_mark(watch: StackWatch, engine: ScriptedEngine) -> None:
    db = engine.add("db")
    engine.write(db, "one")
    await watch.start()
    pane = watch.panes["db/1"]
    await until(lambda: pane.log.total == 1)
    engine.finish(db, 137, out_of_memory=True)
    engine.begin(db)
    engine.write(db, "two")
    await until(lambda: "two" in shown(pane))
    assert shown(pane) == ["one", "<ended with exit code 137, out of memory; started again>", "two"]


async def test_a_replaced_replica_goes_on_in_the_same_pane(watch: StackWatch, engine: ScriptedEngine) -> None:
    db = engine.add("db")
    engine.write(db, "old")
    engine.sample(db, cpu_percent=5.0)
    await watch.start()
    pane = watch.panes["db/1"]
    await until(lambda: pane.log.total == 1 and pane.samples.total == 1)
    new = engine.recreate(db)
    engine.write(new, "new")
    engine.sample(new, cpu_percent=7.0)
    await until(lambda: "new" in shown(pane) and pane.samples.cpu(5) == [5.0, 7.0])
    assert pane.replica is not None and pane.replica.id == new.id and watch.panes["db/1"] is pane
    assert shown(pane)[0] == "old" and shown(pane)[-1] == "new"
    assert shown(pane)[1:-1] == [
        "<ended with exit code 143; removed>",
        f"<replaced by a new one: {new.name}>",
    ]


async def test_an_outage_makes_words_unknown_and_ends(watch: StackWatch, engine: ScriptedEngine) -> None:
    db = engine.add("db", health=Health.HEALTHY)
    engine.write(db, "one", at_ns=5)
    engine.sample(db, cpu_percent=1.0)
    await watch.start()
    pane = watch.panes["db/1"]
    await until(lambda: pane.word == "healthy" and pane.samples.total == 1 and pane.log.total == 1)
    version = watch.version
    engine.gone("the test took it away")
    await until(lambda: watch.outage)
    assert watch.outage and watch.outage.text == "the test took it away"
    assert watch.version > version and pane.word == "unknown" and not pane.well
    since, retry = watch.outage.since, watch.outage.retry_at
    await until(lambda: watch.outage and watch.outage.retry_at > retry)
    assert watch.outage.since == since
    assert pane.samples.latest and pane.samples.age_seconds
    engine.write(db, "two", at_ns=5)
    engine.back()
    await watch.refresh()
    assert watch.outage is None and pane.word == "healthy"
    engine.write(db, "three", at_ns=5)
    engine.sample(db, cpu_percent=2.0)
    await until(lambda: pane.log.total == 3 and pane.samples.cpu(2) == [1.0, 2.0])
    assert shown(pane) == ["one", "two", "three"]


async def test_an_engine_that_is_away_at_first(watch: StackWatch, engine: ScriptedEngine) -> None:
    engine.add("db")
    engine.gone("not yet")
    await watch.start()
    await until(lambda: watch.outage)
    engine.back()
    await until(lambda: watch.panes["db/1"].word == "running")
    assert watch.outage is None


async def test_a_stream_that_breaks_alone_is_taken_up_again(watch: StackWatch, engine: ScriptedEngine) -> None:
    db = engine.add("db")
    engine.fail("logs", "this log driver cannot be read")
    await watch.start()
    pane = watch.panes["db/1"]
    await until(lambda: shown(pane) == ["<this log driver cannot be read>"])
    engine.write(db, "hello")
    engine.mend("logs")
    await until(lambda: "hello" in shown(pane))
    assert shown(pane) == ["<this log driver cannot be read>", "hello"]


async def test_the_log_of_an_ended_run_is_read_when_somebody_looks(watch: StackWatch, engine: ScriptedEngine) -> None:
    run = engine.add_run("web", "train", state=State.ENDED, exit_code=0)
    engine.write(run, "done")
    await watch.start()
    await until(lambda: "train" in watch.panes)
    pane = watch.panes["train"]
    await watch.refresh()
    assert pane.word == "done" and pane.well and pane.log.total == 0 and engine.calls["logs"] == 0
    watch.attend(["train"])
    await until(lambda: shown(pane) == ["done", "<ended with exit code 0>"])


async def test_after_a_close_nothing_is_left(engine: ScriptedEngine, stack: Stack) -> None:
    for number in range(1, 6):
        engine.add("worker", number)
    before = asyncio.all_tasks()
    watch = StackWatch(engine, stack, await engine.project())
    await watch.start()
    await until(lambda: engine.open_streams == 10)
    async with asyncio.timeout(1):
        await watch.close()
    assert asyncio.all_tasks() == before and engine.open_streams == 0


@pytest.mark.parametrize("when", ["at once", "during an outage"])
async def test_close_at_any_time(engine: ScriptedEngine, stack: Stack, when: str) -> None:
    watch = StackWatch(engine, stack, await engine.project())
    before = asyncio.all_tasks()
    if when == "during an outage":
        engine.gone()
        await watch.start()
        await until(lambda: watch.outage)
    else:
        await watch.start()
    async with asyncio.timeout(1):
        await watch.close()
    assert asyncio.all_tasks() == before


async def test_samples_of_what_nobody_sees_are_not_asked_for(
    watch: StackWatch, engine: ScriptedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follower, "UNSEEN_SECONDS", 0.0)
    db, web = engine.add("db"), engine.add("web")
    watch.attend(["db/1"])
    await watch.start()
    engine.sample(db, cpu_percent=1.0)
    await until(lambda: watch.panes["db/1"].samples.total)
    # Both logs, and the samples of one.
    await until(lambda: engine.open_streams == 3)
    assert engine.calls["stats"] == 1
    watch.attend(["web/1"])
    engine.sample(db, cpu_percent=2.0)
    engine.sample(web, cpu_percent=3.0)
    await until(lambda: watch.panes["web/1"].samples.total)
    await until(lambda: engine.open_streams == 3)
    # What it was stays, what it is now is unknown.
    samples = watch.panes["db/1"].samples
    assert samples.latest is None and list(samples.cpu(9)) == [1.0, 2.0] and engine.calls["stats"] == 2
