"""ZooKeeper."""

from __future__ import annotations

from tui.stack.model import Role
from tui.stack.roles.kind import kind

KIND = kind(
    Role.ZOOKEEPER,
    None,
    (3, "image", r"(^|/)(cp-)?zookeeper(:|@|$)"),
    (3, "name", r"^(zookeeper|zoo|zk)([-_]?\d+)?$"),
    (3, "variables", r"^(zookeeper_client_port|zoo_my_id)="),
    (2, "ports", r"^2181$"),
    has_pages=False,
)
