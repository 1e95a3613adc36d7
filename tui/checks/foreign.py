"""Containers of another folder or another file set that have this project's name."""

from __future__ import annotations

from collections.abc import Iterator

from tui.checks.finding import Finding
from tui.checks.situation import Situation
from tui.watch.foreign import whose

OWN_NAME = "Give this copy a name of its own: COMPOSE_PROJECT_NAME in its .env, or sparkdeck --project-name NAME"


def check_foreign(now: Situation) -> Iterator[Finding]:
    """One finding for all of them: what is done here would be done to them."""
    if text := whose(now.stack, now.project.name, now.replicas):
        yield Finding(text, OWN_NAME)
