"""YARN: a machine's room."""

from __future__ import annotations

from tui.stack.model import Role
from tui.stack.roles.kind import Page, kind

KIND = kind(
    Role.NODE_MANAGER,
    Page("YARN node", (8042,)),
    (6, "runs", r"\byarn\s+(--\S+\s+)*nodemanager\b"),
    (3, "image", r"nodemanager"),
    (3, "name", r"\bnode[-_.]?manager\b"),
    (2, "ports", r"^8042$"),
    health="/ws/v1/node/info",
)
