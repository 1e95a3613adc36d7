"""How the command line opens the deck."""

from __future__ import annotations

import sys
from functools import partial

from tui.deck.app import DeckApp
from tui.deck.desk import Desk
from tui.deck.settings import load_settings
from tui.engine.choose import EngineKind, open_engine
from tui.stack.model import Stack


def open_deck(stack: Stack, *, read_only: bool = False, engine: EngineKind = EngineKind.AUTO) -> int:
    """Shows the deck until it is left; returns the exit code."""
    settings = load_settings()
    app = DeckApp(Desk(stack, partial(open_engine, kind=engine)), settings, read_only=read_only)
    app.run(mouse=settings.mouse)
    for command in app.cut:
        at = f" ({command.last})" if command.last else ""
        print(f"Stopped before it was done: {command.title}{at}. To go on with it: {command.line}", file=sys.stderr)
    return app.return_code or 0
