"""HDFS: who knows where the blocks are."""

from __future__ import annotations

from tui.stack.model import Role
from tui.stack.roles.kind import Page, kind

KIND = kind(
    Role.NAMENODE,
    Page("HDFS", (9870, 50070)),
    (6, "runs", r"\bhdfs\s+(--\S+\s+)*namenode\b(?!.*-format)"),
    (3, "image", r"namenode"),
    (3, "name", r"\bname[-_.]?node\b"),
    (3, "ports", r"^(9870|50070)$"),
    health="/jmx?qry=Hadoop:service=NameNode,name=NameNodeStatus",
)
