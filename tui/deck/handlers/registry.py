"""Which function does which action."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from tui.deck.port import Deck

Handler = Callable[[Deck, str], Awaitable[None] | None]

HANDLERS: dict[str, Handler] = {}


def handles(*ids: str) -> Callable[[Handler], Handler]:
    """Makes a function the handler of these actions. It is given the deck and the key."""

    def register(function: Handler) -> Handler:
        for action_id in ids:
            HANDLERS[action_id] = function
        return function

    return register
