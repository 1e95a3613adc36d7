"""What is wrong, and what the models are worth: findings and MLflow runs."""

from __future__ import annotations

from tui.deck.handlers.move import go_to
from tui.deck.handlers.registry import handles
from tui.deck.handlers.services import ready_of
from tui.deck.handlers.views import copy, open_url
from tui.deck.port import Deck
from tui.engine.interface import State
from tui.stack.model import Role
from tui.watch.roles.mlflow import mlflow_urls


@handles("findings")
async def findings(deck: Deck, key: str) -> None:
    """What is wrong; Enter goes to the service."""
    from tui.deck.screens.findings import FindingsScreen

    found = await deck.ask(FindingsScreen(deck.desk.findings, deck.desk.check))
    if found is None:
        return
    panes = [pane for pane in deck.desk.shown() if pane.service and pane.service.name == found.service]
    own = [pane for pane in panes if pane.replica and pane.replica.id == found.replica]
    if panes:
        go_to(deck, (own or panes)[0].key)


@handles("mlflow")
async def mlflow(deck: Deck, key: str) -> None:
    """The newest runs of the focused MLflow, else of the first."""
    from tui.deck.screens.mlflow import MlflowScreen

    ready = ready_of(deck)
    if not ready:
        return
    services = ready.stack.with_role(ready.project, Role.MLFLOW)
    if not services:
        deck.say(f"{ready.stack.name} has no MLflow.", severity="warning")
        return
    servers = await mlflow_urls(ready.engine, ready.stack, ready.project, deck.desk.replicas())
    focused = deck.focused_pane.service.name if deck.focused_pane and deck.focused_pane.service else ""
    reached = next((name for name, url in servers.items() if isinstance(url, str)), services[0])
    service = focused if focused in services else reached
    url = servers.get(service)
    if not isinstance(url, str):
        panes = [pane for pane in deck.desk.shown() if pane.service and pane.service.name == service]
        if any(pane.is_running for pane in panes):
            deck.say(f"The runs of {service} cannot be read: {url.why if url else 'no port'}", severity="warning")
        else:
            deck.say(f"{service} is not up. Start it: u on its pane, or sparkdeck up {service}", severity="warning")
        return

    def running() -> set[str]:
        return {one.labels["run"] for one in deck.desk.replicas() if one.is_run and one.state is State.RUNNING}

    match await deck.ask(MlflowScreen(service, url, running)):
        case ("open", url):
            await open_url(deck, url)
        case ("copy", run_id):
            await copy(deck, run_id, "The run's id")
