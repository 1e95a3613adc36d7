"""Prometheus."""

from __future__ import annotations

from tui.stack.model import Role
from tui.stack.roles.kind import Page, kind

KIND = kind(
    Role.PROMETHEUS,
    Page("Prometheus", (9090,)),
    (3, "image", r"(^|/)prometheus(:|@|$)"),
    (3, "name", r"^prometheus$"),
    (2, "runs", r"--config\.file=\S*prometheus\.ya?ml"),
    health="/-/healthy",
)
