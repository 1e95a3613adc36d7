"""`!`: what is wrong, and what to do about it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.deck.fakes import SERVICES, layout_project
from tests.deck.harness import deck_on, scripted
from tests.scripted_engine import ScriptedEngine
from tui.deck import desk
from tui.deck.screens.base import DeckScreen
from tui.deck.screens.findings import FindingsScreen
from tui.deck.screens.panes import PanesScreen
from tui.engine.interface import Health, State
from tui.watch import supervise


async def test_findings_are_counted_explained_and_lead_to_the_service() -> None:
    engine = scripted()
    async with deck_on(engine) as deck:
        assert "finding" not in deck.text()
        (worker,) = [one for one in await engine.replicas() if one.service == "spark-worker-3"]
        engine.finish(worker, 137, out_of_memory=True)
        (mlflow,) = [one for one in await engine.replicas() if one.service == "mlflow"]
        engine.change(mlflow, health=Health.UNHEALTHY, health_output="Invalid\x1b[2J [red]Host[/x] header")
        await deck.until_seen("! 2 findings")
        await deck.press("exclamation_mark")
        await deck.until(lambda: isinstance(deck.app.screen, FindingsScreen), "the findings")
        await deck.until_seen("spark-worker-3 ran out of memory")
        await deck.until_seen("mlflow is unhealthy: Invalid [red]Host[/x] header")
        await deck.until(lambda: "looking further" not in deck.text(), "that was all")
        await deck.press("enter")
        await deck.until(lambda: deck.app.focused_key == "spark-worker-3/1", "the service is focused")


async def test_findings_go_while_they_are_looked_at() -> None:
    engine = scripted()
    async with deck_on(engine) as deck:
        (mlflow,) = [one for one in await engine.replicas() if one.service == "mlflow"]
        engine.change(mlflow, health=Health.UNHEALTHY)
        await deck.until_seen("! 1 finding")
        await deck.press("exclamation_mark")
        await deck.until_seen("its health check says nothing")
        engine.change(mlflow, health=Health.HEALTHY)
        await deck.until_seen("Nothing is wrong")
        await deck.press("escape")
        await deck.until(lambda: isinstance(deck.app.screen, PanesScreen), "the panes")
        assert "finding" not in deck.text()


async def test_a_finding_of_one_replica_leads_to_that_one() -> None:
    project = layout_project(SERVICES)
    workers = {"spark-worker-2": replace(project.services["spark-worker-2"], replicas=2)}
    engine = ScriptedEngine(replace(project, services={**project.services, **workers}))
    for name in SERVICES:
        engine.add(name, health=Health.HEALTHY)
    second = engine.add("spark-worker-2", number=2, health=Health.HEALTHY)
    async with deck_on(engine) as deck:
        engine.finish(second, 3)
        await deck.until_seen("! 1 finding")
        await deck.press("exclamation_mark")
        await deck.until_seen("spark-worker-2-2 ended with exit code 3")
        await deck.press("enter")
        await deck.until(lambda: deck.app.focused_key == "spark-worker-2/2", "the replica is focused")


async def test_a_service_that_waits_for_one_that_does_not_come() -> None:
    project = layout_project(SERVICES)
    services = dict(project.services)
    services["jupyter"] = replace(services["jupyter"], depends_on={"mlflow": "service_healthy"})
    engine = ScriptedEngine(replace(project, services=services))
    for name in SERVICES:
        state = State.CREATED if name == "jupyter" else State.RUNNING
        engine.add(name, state=state, health=Health.STARTING if name == "mlflow" else Health.NONE)
    async with deck_on(engine) as deck:
        assert "finding" not in deck.text(), "it is on its way"
        (mlflow,) = [one for one in await engine.replicas() if one.service == "mlflow"]
        engine.change(mlflow, health=Health.UNHEALTHY, health_output="no")
        await deck.until_seen("! 2 findings")
        await deck.press("exclamation_mark")
        await deck.until_seen("jupyter waits for mlflow, which is unhealthy")


async def test_an_engine_that_is_gone_is_the_finding() -> None:
    engine = scripted()
    async with deck_on(engine) as deck:
        engine.gone("nobody home")
        await deck.until_seen("engine gone since")
        await deck.press("exclamation_mark")
        await deck.until_seen("The engine does not answer: nobody home")
        await deck.until(lambda: "looking further" not in deck.text(), "nobody else is asked")
        engine.back()
        await deck.until_seen("Nothing is wrong", seconds=30)


async def test_a_stack_that_does_not_fit_its_layout_is_the_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk, "AGAIN_SECONDS", 0.05)
    engine = ScriptedEngine(layout_project([name for name in SERVICES if name != "mlflow"]))
    async with deck_on(engine, wait=False) as deck:
        await deck.until(lambda: deck.app.desk.refused, "it was refused")
        await deck.press("exclamation_mark")
        await deck.until_seen("Change that; SparkDeck tries again by itself.")
        # It concerns no pane.
        await deck.press("enter")
        await deck.until(lambda: isinstance(deck.app.screen, PanesScreen), "the panes")
        engine.set_project(layout_project(SERVICES))
        await deck.until(lambda: deck.app.desk.ready and not deck.app.desk.refused, "it fits now")


async def test_a_part_of_sparkdeck_that_failed_is_a_finding_until_it_is_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervise, "WELL_SECONDS", 1.0)
    engine = scripted()
    async with deck_on(engine) as deck:
        deck.failing = {"the watch of the engine"}
        engine.fail("replicas", RecursionError("deep"))
        engine.emit("health", next(iter(engine.known())))
        await deck.until_seen("unknown since")
        await deck.until_seen("! 1 finding")
        await deck.press("exclamation_mark")
        await deck.until_seen("A part of SparkDeck failed: the watch of the engine: RecursionError: deep")
        await deck.until_seen("failures.log")
        engine.mend("replicas")
        await deck.until_seen("Nothing is wrong", seconds=20)
        await deck.press("escape")
        await deck.until_seen("8 of 8 services well")


async def test_a_picture_that_fails_is_told_of_and_stops_no_later_one(monkeypatch: pytest.MonkeyPatch) -> None:
    async with deck_on(scripted()) as deck:
        deck.failing = {"the picture"}
        tick = DeckScreen.tick
        failing = True

        def fails(screen: DeckScreen, *, slow: bool) -> None:
            if failing:
                raise KeyError("pane")
            tick(screen, slow=slow)

        monkeypatch.setattr(PanesScreen, "tick", fails)
        await deck.until(lambda: [one.part for one in deck.app.desk.failures] == ["the picture"])
        failing = False
        await deck.until_seen("! 1 finding")
