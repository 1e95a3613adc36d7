"""Actions on jobs: submit, cancel; and cleaning up."""

from __future__ import annotations

from functools import partial

from tui.deck import usecases
from tui.deck.handlers.registry import handles
from tui.deck.handlers.services import ready_of
from tui.deck.port import Deck
from tui.deck.screens.dialogs import Ask
from tui.engine.interface import State


@handles("cancel")
async def cancel(deck: Deck, key: str) -> None:
    """Cancels the focused run, if that is confirmed."""
    ready, pane = ready_of(deck), deck.focused_pane
    if ready is None or pane is None:
        return
    if not pane.is_run or pane.replica is None:
        deck.say("x cancels a job's run; a service is stopped with s.", severity="warning")
        return
    if pane.replica.state is State.ENDED:
        deck.say(f"{pane.name} has ended already.")
        return
    command = usecases.cancel(ready, pane.name, pane.replica)
    if await deck.ask(Ask(f"{command.title}?", command.lines, "What it has written so far stays.", "Cancel it")):
        deck.runner.start(command)


@handles("submit")
async def submit(deck: Deck, key: str) -> None:
    """The form, and what comes of it."""
    from tui.deck.screens.submit import SubmitScreen

    ready = ready_of(deck)
    if ready is None:
        return
    runs = await usecases.runs(ready, partial(deck.say, severity="warning"))
    files = await usecases.app_files(ready)
    deck.show(SubmitScreen(ready, runs, files))


@handles("cleanup")
async def cleanup(deck: Deck, key: str) -> None:
    """What would be removed, and its removal."""
    from tui.deck.screens.cleanup import CleanupScreen

    ready = ready_of(deck)
    if ready is None:
        return
    removables, folders = await usecases.removables(ready)
    if await deck.ask(CleanupScreen(ready.stack.name, removables, folders)):
        deck.runner.start(usecases.cleanup(ready))
