"""Which function does which action."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tui.deck.app import DeckApp

Handler = Callable[["DeckApp", str], Awaitable[None] | None]

_HANDLERS: dict[str, Handler] = {}


def handles(*ids: str) -> Callable[[Handler], Handler]:
    """Makes a function the handler of these actions. It is given the app and the key."""

    def register(function: Handler) -> Handler:
        for action_id in ids:
            _HANDLERS[action_id] = function
        return function

    return register


def handler_of(action_id: str) -> Handler:
    """The function of an action; its modules are imported when they are first needed."""
    # Every time: while a thread is still at it, this waits for its end.
    from tui.deck.handlers import jobs, logs, move, services, views, wellbeing  # noqa: F401

    return _HANDLERS[action_id]


def registered() -> set[str]:
    """The ids of all actions that something is done for."""
    handler_of("quit")
    return set(_HANDLERS)
