"""How the command line opens the deck."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial

from tui.deck.app import DeckApp
from tui.deck.desk import Desk
from tui.deck.settings import load_settings
from tui.engine.choose import EngineKind, open_engine
from tui.stack.model import Stack


def open_deck(find: Callable[[], Stack], *, read_only: bool = False, engine: EngineKind = EngineKind.AUTO) -> int:
    """Shows the stack that is found until it is left; returns the exit code. Raises StackError if there is none."""
    settings = load_settings()
    desk = Desk(find(), partial(open_engine, kind=engine), find=find)
    app = DeckApp(desk, settings, read_only=read_only)
    app.run(mouse=settings.mouse)
    for command in app.cut:
        at = f" ({command.last})" if command.last else ""
        print(f"Stopped before it was done: {command.title}{at}. To go on with it: {command.line}", file=sys.stderr)
    return app.return_code or 0
