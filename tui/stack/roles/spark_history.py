"""Spark's history server: what has run."""

from __future__ import annotations

from tui.stack.model import Role
from tui.stack.roles.kind import Page, kind

KIND = kind(
    Role.SPARK_HISTORY,
    Page("Spark history", (18080,)),
    (6, "runs", r"historyserver|start-history-server\.sh"),
    (5, "variables", r"^spark_(mode|workload)=history"),
    (3, "name", r"(spark|history)[-_.]?(history|server)\b"),
    (2, "ports", r"^18080$"),
    (1, "image", r"spark"),
    health="/api/v1/applications?limit=1",
)
