"""The Hive metastore."""

from __future__ import annotations

from tui.stack.model import Role
from tui.stack.roles.kind import kind

KIND = kind(
    Role.METASTORE,
    None,
    (6, "runs", r"\bhive\s+--service\s+metastore\b|start-metastore\b"),
    (5, "variables", r"^service_name=metastore$"),
    (3, "image", r"hive-?metastore|standalone-metastore"),
    (3, "name", r"\bmetastore$"),
    (2, "ports", r"^9083$"),
    has_pages=False,
)
