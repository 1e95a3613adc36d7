"""Who waits for whom and how long, one-shots that are done, and what is said of one that failed."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.scripted_engine import ScriptedEngine
from tests.watch.conftest import until
from tui.actions.bring_up import bring_up
from tui.engine.interface import EngineError, Health, Progress, Replica, State
from tui.stack.model import Layout, Port, Project, Role, Service, ServiceLayout, Stack
from tui.watch import ready
from tui.watch.cluster import Cluster
from tui.watch.dependencies import waits_of, waits_text
from tui.watch.live import StackWatch
from tui.watch.ready import NotReady, Step, wait_ready
from tui.watch.scene import Scene
from tui.watch.words import ago, lasting, took_text

DONE, WELL = "service_completed_successfully", "service_healthy"
PROJECT = Project(
    "ml",
    {
        "store": Service("store", has_health_check=True),
        "train": Service("train", depends_on={"store": WELL}),
        "serve": Service("serve", depends_on={"train": DONE}),
    },
)
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.fixture
def engine() -> ScriptedEngine:
    return ScriptedEngine(PROJECT)


def told(steps: list[Step]) -> list[str]:
    return [f"{step.service}: {step.word}" for step in steps]


def at(service: str, state: State, *, seconds: int = 0, **fields: object) -> Replica:
    return Replica(service, service, service, 1, state, started_at=NOW - timedelta(seconds=seconds), **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("condition", "other", "text"),
    [
        (DONE, at("db", State.RUNNING, seconds=42), "waits for db, running 0:42"),
        (DONE, at("db", State.RUNNING, seconds=3700), "waits for db, running 1 h 01 min"),
        (DONE, at("db", State.ENDED, exit_code=0), ""),
        (DONE, at("db", State.ENDED, exit_code=3), "waits for db, ended with exit code 3"),
        (WELL, at("db", State.RUNNING, health=Health.STARTING, seconds=3), "waits for db, starting 0:03"),
        (WELL, at("db", State.RUNNING, health=Health.HEALTHY), ""),
        (WELL, at("db", State.CREATED), "waits for db, created"),
        (WELL, None, "waits for db, not there"),
        ("service_started", at("db", State.RUNNING), ""),
    ],
)
def test_whom_a_service_waits_for_and_how_long(condition: str, other: Replica | None, text: str) -> None:
    service = Service("app", depends_on={"db": condition})
    assert waits_text(waits_of(service, [other] if other else []), NOW) == text


def test_who_waits_for_several_says_all() -> None:
    service = Service("app", depends_on={"a": DONE, "b": WELL})
    waits = waits_of(service, [at("a", State.RUNNING, seconds=90)])
    assert waits_text(waits, NOW) == "waits for a, running 1:30, and b, not there"
    assert waits_text(waits) == "waits for a, running, and b, not there"


def test_words_of_time() -> None:
    assert [lasting(seconds) for seconds in (-1, 0, 42.9, 60, 3725)] == ["0:00", "0:00", "0:42", "1:00", "1 h 02 min"]
    assert [ago(seconds) for seconds in (0, 59, 120, 7200, 200_000)] == [
        *("just now", "just now", "2 min ago", "2 h ago", "2 days ago")
    ]
    ended = replace(at("a", State.ENDED, seconds=42, exit_code=0), ended_at=NOW)
    assert took_text(ended) == "took 0:42"
    assert took_text(replace(ended, started_at=NOW - timedelta(seconds=1.25))) == "took 1.2 s"
    assert took_text(replace(ended, started_at=None)) == took_text(at("a", State.RUNNING)) == ""


def test_done_is_only_what_should_end() -> None:
    ended = at("a", State.ENDED, exit_code=0)
    project = Project("demo", {"a": Service("a"), "b": Service("b", depends_on={"a": DONE})})
    scene = Scene(Stack("demo", Path(), (), Path()), project, [ended], Cluster())
    assert scene.condition("a", ended).word == "done"
    assert scene.condition("a", replace(ended, exit_code=1)).word == "ended"
    # Of whom nobody waits for: what nothing says of that it is to stay.
    for service, word in (
        (Service("a"), "done"),
        (Service("a", restart="on-failure"), "done"),
        (Service("a", restart="always"), "ended"),
        (Service("a", has_health_check=True), "ended"),
        (Service("a", ports=(Port(80, 8080),)), "ended"),
    ):
        alone = replace(scene, project=Project("demo", {"a": service}))
        assert alone.condition("a", ended).word == word, service
        assert alone.condition("a", replace(ended, exit_code=1)).word == "ended"
    serves = Layout("demo", services=(ServiceLayout("a", Role.MLFLOW),))
    assert replace(alone, stack=replace(scene.stack, layout=serves)).condition("a", ended).word == "ended"


async def test_a_done_one_shot_and_a_waiting_service_in_the_watch(engine: ScriptedEngine, stack: Stack) -> None:
    # By what others wait for, whatever the layout calls it.
    layout = Layout("ml", "ML", services=(ServiceLayout("train", Role.APP),))
    watch = StackWatch(engine, replace(stack, layout=layout), PROJECT)
    engine.add("store", health=Health.HEALTHY)
    train = engine.add("train", started_at=datetime.now(UTC) - timedelta(seconds=42))
    engine.add("serve", state=State.CREATED)
    await watch.start()
    try:
        train_pane, serve = watch.panes["train/1"], watch.panes["serve/1"]
        await until(lambda: serve.word == "created")
        assert serve.note.startswith("waits for train, running 0:4") and not serve.well
        engine.finish(train)
        await until(lambda: train_pane.word == "done" and not serve.note)
        assert train_pane.well and not train_pane.note
    finally:
        await watch.close()


async def collect(engine: ScriptedEngine, stack: Stack, timeout: float = 5) -> list[Step]:
    return [step async for step in wait_ready(engine, stack, PROJECT, timeout=timeout)]


async def test_ready_when_the_one_shot_is_done(engine: ScriptedEngine, stack: Stack) -> None:
    engine.add("store", health=Health.HEALTHY)
    train = engine.add("train", started_at=NOW - timedelta(seconds=90))
    engine.add("serve", state=State.CREATED)
    waiting = asyncio.create_task(collect(engine, stack))
    await until(lambda: engine.calls["events"] and engine.calls["replicas"])
    assert not waiting.done()
    serve = next(one for one in await engine.replicas() if one.service == "serve")
    engine.finish(train)
    engine.change(train, ended_at=NOW)
    engine.begin(serve)
    steps = await waiting
    assert told(steps) == [
        *("store: healthy", "train: running", "serve: waits for train, running"),
        *("train: done, took 1:30", "serve: running"),
    ]


async def test_the_work_of_a_one_shot_does_not_count_against_the_time_for_health(
    engine: ScriptedEngine, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ready, "LOOK_AGAIN", 0.01)
    engine.add("store", health=Health.HEALTHY)
    train = engine.add("train")
    waiting = asyncio.create_task(collect(engine, stack, timeout=0.2))
    looks = engine.calls["replicas"]
    await until(lambda: engine.calls["replicas"] > looks + 60)
    assert not waiting.done(), "it works for longer than the time for health"
    engine.finish(train)
    # Now the time counts: nobody starts the service that waited.
    with pytest.raises(NotReady, match="not ready after 0 s:\nserve: not created yet"):
        await waiting


async def test_a_failed_one_shot_is_told_with_the_end_of_its_log(engine: ScriptedEngine, stack: Stack) -> None:
    engine.add("store", health=Health.HEALTHY)
    train = engine.add("train")
    engine.write(train, *(f"line {number}" for number in range(20)), "\x1b[31mno data in /data\x1b]0;x\x07")
    engine.finish(train, 3)
    with pytest.raises(NotReady) as caught:
        await collect(engine, stack)
    lines = str(caught.value).splitlines()
    assert lines[0] == "train: ended (exit code 3); sparkdeck logs train tells why. Its log ends with:"
    assert lines[-1] == "  no data in /data" and lines[1] == "  line 13"


async def test_up_says_whom_it_waits_for(engine: ScriptedEngine, stack: Stack) -> None:
    """As compose does: `up` is silent until the one-shot has completed."""
    engine.hold("up")
    found: list[Progress | Step] = []

    async def run() -> None:
        async for update in bring_up(engine, stack, PROJECT):
            found.append(update)

    task = asyncio.create_task(run())
    await until(lambda: found)
    engine.add("store", health=Health.HEALTHY)
    train = engine.add("train")
    engine.add("serve", state=State.CREATED)

    def steps() -> list[Step]:
        return [update for update in found if isinstance(update, Step)]

    await until(lambda: len(steps()) == 2)
    assert told(steps()) == ["train: running", "serve: waits for train, running"]
    assert steps()[1].told.startswith("waits for train, running 0:0")
    engine.finish(train)
    await until(lambda: len(steps()) > 2)
    assert steps()[2].word.startswith("done, took")
    engine.release("up")
    await task


async def test_an_up_that_fails_for_a_one_shot_says_why(engine: ScriptedEngine, stack: Stack) -> None:
    old = engine.finish(engine.add("store"), 1)
    engine.fail("up", 'docker compose up failed: service "train" didn\'t complete successfully: exit 4')
    with pytest.raises(EngineError, match="docker compose up failed"):
        [update async for update in bring_up(engine, stack, PROJECT)]
    engine.drop(old)
    engine.mend("up")

    class Failing(ScriptedEngine):
        async def replicas(self) -> list[Replica]:
            found = await super().replicas()
            self.looks = getattr(self, "looks", 0) + 1
            if self.looks == 1:
                train = self.add("train")
                self.write(train, "ValueError: no rows")
                self.finish(train, 4)
            return found

    failing = Failing(PROJECT)
    failing.fail("up", "docker compose up failed: exit 4")
    with pytest.raises(NotReady) as caught:
        [update async for update in bring_up(failing, stack, PROJECT)]
    assert str(caught.value).startswith("train: ended (exit code 4); ") and "ValueError: no rows" in str(caught.value)


async def test_who_stops_listening_ends_it_all(engine: ScriptedEngine, stack: Stack) -> None:
    before = asyncio.all_tasks()
    engine.hold("up")
    async with aclosing(bring_up(engine, stack, PROJECT)) as updates:
        async for _ in updates:
            break
    assert asyncio.all_tasks() == before
