"""Flink: its job manager and its workers."""

from __future__ import annotations

from tui.stack.model import Role
from tui.stack.roles.kind import Page, kind

KIND = kind(
    Role.FLINK,
    Page("Flink", (8081,)),
    (6, "runs", r"\b(jobmanager|taskmanager)(\.sh)?\b|standalone-job\b"),
    (3, "image", r"(^|/)(py)?flink\b"),
    (3, "name", r"\b(flink|job[-_.]?manager|task[-_.]?manager)\b"),
    health="/overview",
)
