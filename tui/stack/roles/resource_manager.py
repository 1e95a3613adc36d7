"""YARN: who gives the cluster's room away."""

from __future__ import annotations

from tui.stack.model import Role
from tui.stack.roles.kind import Page, kind

KIND = kind(
    Role.RESOURCE_MANAGER,
    Page("YARN", (8088,)),
    (6, "runs", r"\byarn\s+(--\S+\s+)*resourcemanager\b"),
    (3, "image", r"resourcemanager"),
    (3, "name", r"\bresource[-_.]?manager\b"),
    (1, "ports", r"^8088$"),
    health="/ws/v1/cluster/info",
)
