"""A Spark Connect server: clients elsewhere, its driver here."""

from __future__ import annotations

from tui.stack.model import Role
from tui.stack.roles.kind import Page, kind

KIND = kind(
    Role.SPARK_CONNECT,
    Page("Spark application", (4040,)),
    (6, "runs", r"sparkconnectserver|start-connect-server\.sh"),
    (3, "name", r"spark[-_.]?connect\b"),
    (3, "ports", r"^15002$"),
    (1, "image", r"spark"),
)
