"""Grafana."""

from __future__ import annotations

from tui.stack.model import Role
from tui.stack.roles.kind import Page, kind

KIND = kind(
    Role.GRAFANA,
    Page("Grafana", (3000,)),
    (3, "image", r"(^|/)grafana(-oss|-enterprise)?(:|@|$)"),
    (3, "name", r"^grafana$"),
    (3, "variables", r"^gf_(security|auth|server)_\w+="),
    health="/api/health",
)
