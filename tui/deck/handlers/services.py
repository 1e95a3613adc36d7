"""Actions on services: start, stop, restart, scale, shells, the whole stack."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence

from textual.app import SuspendNotSupported

from tui.actions.replicas import Chosen
from tui.deck import usecases
from tui.deck.commands import Command
from tui.deck.desk import chosen_of, services_of
from tui.deck.handlers.registry import handles
from tui.deck.port import Deck
from tui.deck.screens.dialogs import Ask, Choice, Menu
from tui.engine.interface import Replica
from tui.stack.model import Role
from tui.watch.names import is_orphan, short_name
from tui.watch.session import Session


def ready_of(deck: Deck) -> Session | None:
    """The engine, or a message that it is not there (yet)."""
    if deck.desk.ready is None:
        deck.say("The engine has not answered yet.", severity="warning")
    return deck.desk.ready


def _chosen(deck: Deck, ready: Session) -> Chosen | None:
    """What an action is for: the marked panes' services or replicas, else the focused one's."""
    found = chosen_of(deck.chosen_panes(), deck.desk.panes.values(), ready.project)
    if not found.all_services:
        deck.say("This is a run, not a service: x cancels it.", severity="warning")
        return None
    return found


@handles("start")
def start(deck: Deck, key: str) -> None:
    """Starts what is chosen."""
    ready = ready_of(deck)
    if ready and (chosen := _chosen(deck, ready)):
        deck.runner.start(usecases.start(ready, chosen))


@handles("restart")
def restart(deck: Deck, key: str) -> None:
    """Restarts what is chosen."""
    ready = ready_of(deck)
    if ready and (chosen := _chosen(deck, ready)):
        deck.runner.start(usecases.restart(ready, chosen))


@handles("stop")
async def stop(deck: Deck, key: str) -> None:
    """Stops what is chosen, if that is confirmed."""
    ready = ready_of(deck)
    if not ready or not (chosen := _chosen(deck, ready)):
        return
    command, note, word = usecases.stop(ready, chosen), "Logs and data stay; u starts it again.", "Stop"
    if not chosen.services and all(is_orphan(one, ready.project) for one in chosen.replicas):
        command, note, word = usecases.remove(ready, chosen), "No compose file in use names it.", "Remove"
    if await deck.ask(Ask(f"{command.title}?", command.lines, note, word)):
        deck.runner.start(command)


def _workers(deck: Deck) -> list[str]:
    return services_of([pane for pane in deck.desk.panes.values() if pane.role is Role.SPARK_WORKER])


@handles("restart-menu")
async def restart_menu(deck: Deck, key: str) -> None:
    """Restart of more, recreate, rebuild: each with its command."""
    ready = ready_of(deck)
    if not ready:
        return
    chosen = chosen_of(deck.chosen_panes(), deck.desk.panes.values(), ready.project)
    workers = _workers(deck)
    services = chosen.all_services
    everything = services_of(list(deck.desk.panes.values()))
    whole = Chosen(tuple(services))
    commands: dict[str, Command] = {}
    if chosen.replicas:
        commands["replica"] = usecases.restart(ready, chosen)
    if services:
        commands["restart"] = usecases.restart(ready, whole)
    if workers:
        commands["workers"] = usecases.restart(ready, Chosen(tuple(workers)))
    commands["all"] = usecases.restart(ready, Chosen(tuple(everything)))
    if services:
        commands["recreate"] = usecases.start(ready, whole, recreate=True)
        commands["rebuild"] = usecases.start(ready, whole, recreate=True, build=True)
    notes = {
        "workers": "running tasks are lost and run again",
        "recreate": "a new container, an empty log",
        "rebuild": "builds the image first",
    }
    titles = {"workers": "Restart all workers", "all": "Restart every service"}
    choices = [
        Choice(name, titles.get(name, command.title), tuple(command.lines), notes.get(name, ""), name == "recreate")
        for name, command in commands.items()
    ]
    answer = await deck.ask(Menu("Restart", choices))
    if answer:
        deck.runner.start(commands[answer])


@handles("up-stack")
def up_stack(deck: Deck, key: str) -> None:
    """Starts the whole stack."""
    ready = ready_of(deck)
    if ready:
        deck.runner.start(usecases.start(ready, Chosen()))


@handles("down-stack")
async def down_stack(deck: Deck, key: str) -> None:
    """Takes the stack down, if that is confirmed."""
    ready = ready_of(deck)
    if not ready:
        return
    command = usecases.down(ready)
    active = [pane.name for pane in deck.desk.panes.values() if pane.is_run and pane.is_running]
    note = "Removes every service and run with their logs. Mounted folders and images stay."
    if active:
        note += f" These runs are ended: {', '.join(active)}."
    if await deck.ask(Ask(f"{command.title}?", command.lines, note, "Take down")):
        deck.runner.start(command)


@handles("scale-up", "scale-down")
async def scale(deck: Deck, key: str) -> None:
    """A worker more or less; a count that is asked again while it changes goes on from the wanted one."""
    ready = ready_of(deck)
    if not ready:
        return
    step = -1 if key in deck.keymap.keys["scale-down"] or key == "scale-down" else 1
    if any(command.title.startswith("Scale to") for command in deck.runner.running):
        deck.say("The cluster is being scaled; wait until that is done.", severity="warning")
        return
    count = await usecases.running_workers(ready) + step
    command = usecases.scale(ready, count)
    if step < 0:
        question = Ask(f"{command.title}?", command.lines, "The last worker finishes its tasks, then stops.", "Scale")
        if not await deck.ask(question):
            return
    deck.runner.start(command)


@handles("stop-command")
def stop_command(deck: Deck, key: str) -> None:
    """Stops the newest command that runs."""
    running = deck.runner.running
    if running:
        deck.runner.stop(running[-1])
        deck.say(f"Stopped: {running[-1].line}")


@handles("shell")
async def shell(deck: Deck, key: str) -> None:
    """A shell in the focused service."""
    pane = deck.focused_pane
    if pane is None or pane.replica is None or not pane.is_running:
        deck.say("It is not running: u starts it.", severity="warning")
        return
    await enter(deck, pane.replica.service, [], replica=pane.replica)


@handles("spark-shell")
async def spark_shell(deck: Deck, key: str) -> None:
    """A Spark shell, Scala or Python."""
    ready = ready_of(deck)
    if not ready:
        return
    client = ready.stack.shell_service(ready.project)
    choices = [
        Choice("spark-shell", "Spark shell (Scala)", (usecases.verb(ready, "spark-shell"),)),
        Choice("pyspark", "PySpark (Python)", (usecases.verb(ready, "spark-shell", "--python"),)),
    ]
    chosen = await deck.ask(Menu(f"A Spark shell in {client}", choices))
    if chosen:
        await enter(deck, client, [chosen])


async def enter(deck: Deck, service: str, command: Sequence[str], *, replica: Replica | None = None) -> None:
    """Gives the terminal to a command in a service (in this replica, or the first one) and takes it back."""
    ready = ready_of(deck)
    if not ready:
        return
    argv = await ready.engine.shell_command(service, command, replica_id=replica.id if replica else None)
    place = short_name(replica, ready.project) if replica else service
    name = " ".join(command) or "shell"
    try:
        with deck.lent():
            sys.stdout.write(f"{name} in {place}; leave it to come back to the deck\n")
            sys.stdout.flush()
            process = await asyncio.create_subprocess_exec(*argv)
            try:
                code = await process.wait()
            finally:
                if process.returncode is None:
                    process.terminate()
    except SuspendNotSupported:
        deck.say(f"This terminal cannot be lent to {place}. From another one: {' '.join(argv)}", severity="warning")
        return
    if code:
        deck.say(f"{name} in {place} ended with exit code {code}", severity="warning")
