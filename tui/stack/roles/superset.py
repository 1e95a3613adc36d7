"""Superset: its pages."""

from __future__ import annotations

from tui.stack.model import Role
from tui.stack.roles.kind import Page, kind

KIND = kind(
    Role.SUPERSET,
    Page("Superset", (8088,)),
    (3, "image", r"(^|/)superset\b"),
    (3, "name", r"^superset(?!.*\b(init|setup|worker|beat)\b)"),
    health="/health",
)
