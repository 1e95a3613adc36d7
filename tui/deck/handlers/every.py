"""Every module of handlers. They are many, so that this is imported when the first key needs it."""

from tui.deck.handlers import jobs, logs, move, services, views, wellbeing  # noqa: F401
from tui.deck.handlers.registry import HANDLERS as HANDLERS
