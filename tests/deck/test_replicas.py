"""Keys on a pane of a service that has several replicas: they mean that replica, and say so."""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, nullcontext
from dataclasses import replace

import pytest

from tests.deck.fakes import EXTRA, SERVICES
from tests.deck.harness import Deck, deck_on, scripted
from tests.scripted_engine import ScriptedEngine
from tui.deck.app import DeckApp
from tui.deck.facts import facts
from tui.deck.screens.dialogs import Ask, Menu
from tui.engine.interface import Health, Replica, State


@pytest.fixture
def engine() -> ScriptedEngine:
    """A Docker engine where the extra worker has three replicas, and nothing else has several."""
    made = scripted()
    made.info = replace(made.info, cores=8)
    made.tool = "tool"
    for number in (1, 2, 3):
        made.add(EXTRA, number, health=Health.HEALTHY)
    return made


def extra(engine: ScriptedEngine, number: int) -> Replica:
    """One of the three, as it is now."""
    kept = [one.replica for one in engine._containers.values()]
    return next(one for one in kept if (one.service, one.number) == (EXTRA, number))


@asynccontextmanager
async def at(engine: ScriptedEngine, *numbers: int) -> AsyncGenerator[Deck]:
    """A deck with the last of these replicas focused, the others marked."""
    async with deck_on(engine) as deck:
        for place, number in enumerate(numbers):
            deck.app.focused_key = f"{EXTRA}/{number}"
            if place < len(numbers) - 1:
                await deck.press("space")
        yield deck


async def healthy(engine: ScriptedEngine, deck: Deck, number: int) -> None:
    """The engine's health check passes once the replica runs again."""
    await deck.until(lambda: extra(engine, number).health is Health.STARTING)
    engine.change(extra(engine, number), health=Health.HEALTHY)


def last(deck: Deck) -> tuple[str, str, str]:
    """Title and lines of the newest command in the log of commands."""
    command = deck.app.runner.commands[-1]
    return command.title, command.line, command.engine_line


async def test_restart_is_of_this_replica_whatever_its_siblings_do(engine: ScriptedEngine) -> None:
    engine.finish(extra(engine, 3), 143)
    two = extra(engine, 2)
    async with at(engine, 2) as deck:
        await deck.press("r")
        await deck.until(lambda: deck.did("restart_replica") == [(two.id,)])
        await healthy(engine, deck, 2)
        await deck.until(lambda: deck.app.runner.commands[-1].state == "done")
        assert last(deck) == (
            f"Restart {EXTRA}-2",
            f"sparkdeck --stack flight-delay restart {EXTRA}-2",
            f"tool restart {two.name}",
        )
    assert not deck.did("restart")
    assert extra(engine, 3).state is State.ENDED


async def test_stop_and_start_again(engine: ScriptedEngine) -> None:
    two = extra(engine, 2)
    async with at(engine, 2) as deck:
        await deck.press("s")
        await deck.until(lambda: isinstance(deck.app.screen, Ask))
        assert f"stop {EXTRA}-2" in deck.text() and f"tool stop {two.name}" in deck.text()
        await deck.press("y")
        await deck.until(lambda: deck.did("end") == [(two.id,)])
        await deck.until(lambda: deck.app.runner.commands[-1].state == "done")
        await deck.until_seen("✗ ended")
        await deck.press("u")
        await deck.until(lambda: deck.did("start_replica") == [(two.id,)])
        await healthy(engine, deck, 2)
        await deck.until(lambda: deck.app.runner.commands[-1].state == "done")
        assert last(deck)[1:] == (f"sparkdeck --stack flight-delay up {EXTRA}-2", f"tool up {two.name}")
    assert not deck.did("stop") and not deck.did("up")
    assert extra(engine, 1).state is extra(engine, 3).state is State.RUNNING


async def test_a_replica_that_does_not_come_up_is_named(engine: ScriptedEngine) -> None:
    async with at(engine, 2) as deck:
        await deck.press("r")
        await deck.until(lambda: extra(engine, 2).health is Health.STARTING)
        engine.finish(extra(engine, 2), 3)
        await deck.until(lambda: deck.app.runner.commands[-1].state == "failed")
        assert deck.app.runner.commands[-1].error == (
            f"{EXTRA}-2: ended (exit code 3); sparkdeck logs {EXTRA}-2 tells why"
        )


async def test_the_first_replica_of_a_service_that_was_scaled_up(engine: ScriptedEngine) -> None:
    """Compose asks for one, so the pane has the service's plain name; it is one of two all the same."""
    engine.add("mlflow", 2, health=Health.HEALTHY)
    (first,) = [one for one in await engine.replicas() if (one.service, one.number) == ("mlflow", 1)]
    async with deck_on(engine) as deck:
        await deck.until(lambda: "mlflow/2" in deck.app.desk.panes)
        deck.app.focused_key = "mlflow/1"
        await deck.press("r")
        await deck.until(lambda: deck.did("restart_replica") == [(first.id,)])
        assert last(deck)[0] == "Restart mlflow-1"
    assert not deck.did("restart")


async def test_marked_replicas_and_services_together(engine: ScriptedEngine) -> None:
    one, three = extra(engine, 1), extra(engine, 3)
    async with deck_on(engine) as deck:
        for key in ("spark-worker-1/1", f"{EXTRA}/1", f"{EXTRA}/3"):
            deck.app.focused_key = key
            await deck.press("space")
        await deck.press("r")
        await deck.until(lambda: len(deck.did("restart_replica")) == 2)
        assert deck.did("restart") == [(("spark-worker-1",),)]
        assert sorted(deck.did("restart_replica")) == sorted([(one.id,), (three.id,)])
        assert last(deck)[1] == f"sparkdeck --stack flight-delay restart spark-worker-1 {EXTRA}-1 {EXTRA}-3"
        assert last(deck)[2] == f"tool restart spark-worker-1 {one.name} {three.name}"


@pytest.mark.parametrize(
    ("downs", "asked"),
    [
        (0, ("restart_replica", f"{EXTRA}-2")),
        (1, ("restart", (EXTRA,))),
        (2, ("restart", (*(f"spark-worker-{number}" for number in range(1, 5)), EXTRA))),
        (3, ("restart", (*SERVICES, EXTRA))),
    ],
)
async def test_the_menu_has_replica_service_workers_all(
    engine: ScriptedEngine, downs: int, asked: tuple[str, object]
) -> None:
    two = extra(engine, 2)
    async with at(engine, 2) as deck:
        await deck.press("R")
        await deck.until(lambda: isinstance(deck.app.screen, Menu))
        assert f"tool restart {two.name}" in deck.text()
        assert f"up --build --recreate {EXTRA}" in deck.text()
        await deck.press(*["down"] * downs, "enter")
        name, what = asked
        wanted = two.id if name == "restart_replica" else what
        await deck.until(lambda: deck.did(name) == [(wanted,)], f"{name} {wanted}: {engine.actions}")


async def test_the_shell_is_in_this_replica(engine: ScriptedEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(DeckApp, "suspend", lambda self: nullcontext())
    said: list[str] = []

    def write(text: str) -> int:
        said.append(text)
        return len(text)

    engine.shell = ["sh", "-c", "exit 7"]
    two = extra(engine, 2)
    async with at(engine, 2) as deck:
        monkeypatch.setattr(sys.stdout, "write", write)
        await deck.press("e")
        await deck.until(lambda: deck.did("shell_command") == [(EXTRA, (), {}, two.id)])
        await deck.until(lambda: any("exit code 7" in text for text in deck.messages))
    assert f"shell in {EXTRA}-2; leave it to come back to the deck\n" in said


@pytest.mark.parametrize(("cores", "fraction"), [(8, 0.25), (2, 1.0), (None, None)])
async def test_cpu_is_measured_against_the_engines_cores(
    engine: ScriptedEngine, cores: int | None, fraction: float | None
) -> None:
    engine.info = replace(engine.info, cores=cores)
    engine.sample(extra(engine, 2), cpu_percent=200.0)
    async with at(engine, 2) as deck:
        pane = deck.app.desk.panes[f"{EXTRA}/2"]
        await deck.until(lambda: pane.samples.latest is not None)
        found = facts(pane, deck.app.desk.now())
        assert (found.cpu, found.cpu_fraction) == (200.0, fraction)


@pytest.mark.parametrize("here", ["host", "this machine"])
async def test_the_load_of_this_machine_is_not_shown_as_a_remote_engines(engine: ScriptedEngine, here: str) -> None:
    engine.info = replace(engine.info, here=here)
    async with deck_on(engine) as deck:
        await deck.until_seen(f"{here} cpu")
        assert here == "host" or "host cpu" not in deck.text()
