"""Trino or Presto."""

from __future__ import annotations

from tui.stack.model import Role
from tui.stack.roles.kind import Page, kind

KIND = kind(
    Role.TRINO,
    Page("Trino", (8080,)),
    (3, "image", r"(^|/)(trino|presto\w*)(:|@|$)"),
    (3, "name", r"^(trino|presto)\b"),
    health="/v1/info",
)
