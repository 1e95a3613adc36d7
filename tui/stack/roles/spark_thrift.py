"""Spark behind JDBC: the Thrift server."""

from __future__ import annotations

from tui.stack.model import Role
from tui.stack.roles.kind import Page, kind

KIND = kind(
    Role.SPARK_THRIFT,
    Page("Spark application", (4040,)),
    (6, "runs", r"thriftserver2?\b|start-thriftserver\.sh"),
    (3, "name", r"spark[-_.]?thrift|thrift[-_.]?server\b"),
    (1, "image", r"spark"),
    (1, "ports", r"^1000[01]$"),
)
