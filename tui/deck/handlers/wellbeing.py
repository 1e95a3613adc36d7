"""What is wrong, and what the models are worth: findings and MLflow runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.checks.everything import check_everything
from tui.checks.finding import Finding
from tui.deck.handlers.move import go_to
from tui.deck.handlers.registry import handles
from tui.deck.handlers.services import ready_of
from tui.deck.handlers.views import copy, open_url
from tui.deck.screens.dialogs import Choice, Menu
from tui.engine.interface import State
from tui.watch.mlflow import mlflow_url

if TYPE_CHECKING:
    from tui.deck.app import DeckApp


@handles("findings")
async def findings(deck: DeckApp, key: str) -> None:
    """What is wrong; Enter goes to the service."""
    from tui.deck.screens.findings import FindingsScreen

    ready = ready_of(deck)
    if not ready:
        return

    async def check() -> list[Finding]:
        return await check_everything(ready.engine, deck.desk.situation())

    service = await deck.ask(FindingsScreen(deck.desk.findings(), check))
    pane = next((pane for pane in deck.desk.shown() if pane.service and pane.service.name == service), None)
    if pane is not None:
        go_to(deck, pane.key)


@handles("mlflow")
async def mlflow(deck: DeckApp, key: str) -> None:
    """MLflow's newest runs."""
    from tui.deck.screens.mlflow import MlflowScreen

    ready = ready_of(deck)
    if not ready:
        return
    replicas = [pane.replica for pane in deck.desk.panes.values() if pane.replica is not None]
    servers = mlflow_url(ready.stack, ready.project, replicas)
    if not servers:
        deck.say("No MLflow that runs here publishes a port. Start it: u on its pane.", severity="warning")
        return
    focused = deck.focused_pane.service.name if deck.focused_pane and deck.focused_pane.service else ""
    service = focused if focused in servers else next(iter(servers))
    if len(servers) > 1 and focused not in servers:
        choices = [Choice(name, name, note=url) for name, url in servers.items()]
        service = await deck.ask(Menu("Which MLflow?", choices)) or ""
    if not service:
        return
    running = {one.labels["run"] for one in replicas if one.is_run and one.state is State.RUNNING}
    answer = await deck.ask(MlflowScreen(service, servers[service], running))
    match answer:
        case ("open", url):
            await open_url(deck, url)
        case ("copy", run_id):
            await copy(deck, run_id, "The run's id")
