"""HDFS: where the blocks are."""

from __future__ import annotations

from tui.stack.model import Role
from tui.stack.roles.kind import Page, kind

KIND = kind(
    Role.DATANODE,
    Page("HDFS node", (9864, 50075)),
    (6, "runs", r"\bhdfs\s+(--\S+\s+)*datanode\b"),
    (3, "image", r"datanode"),
    (3, "name", r"\bdata[-_.]?node\b"),
    (2, "ports", r"^(9864|50075)$"),
    health="/jmx?qry=Hadoop:service=DataNode,name=DataNodeInfo",
)
