"""How a role is described: the signals that speak for it, and its page."""

from __future__ import annotations

from dataclasses import dataclass

from tui.stack.model import Role

Signal = tuple[int, str, str]
"""Points for a role if a pattern is found in a fact: name, image, runs (entrypoint and command), variables (one
NAME=value a line), ports (one a line); all in lower case."""


@dataclass(frozen=True, slots=True)
class Page:
    """What is shown of a role: a title, the ports of its page (the first published one counts), the path there, and the
    pattern of what in its variables or its command names another port."""

    title: str
    ports: tuple[int, ...]
    path: str = "/"
    chosen: str = ""


@dataclass(frozen=True, slots=True)
class Kind:
    """A role. Without a `page` each of its ports that may speak HTTP is one, unless it `has_pages` not. `health` is a
    path of its page that answers well only where all is."""

    role: Role
    page: Page | None
    signals: tuple[Signal, ...]
    has_pages: bool
    health: str


def kind(role: Role, page: Page | None, *signals: Signal, has_pages: bool = True, health: str = "") -> Kind:
    """A role by its page and its signals."""
    return Kind(role, page, signals, has_pages, health)
