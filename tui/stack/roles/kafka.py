"""A Kafka broker, or what speaks like one."""

from __future__ import annotations

from tui.stack.model import Role
from tui.stack.roles.kind import kind

KIND = kind(
    Role.KAFKA,
    None,
    (3, "image", r"(^|/)(cp-kafka|cp-server|kafka|kafka-native|redpanda)(:|@|$)"),
    (3, "name", r"^(kafka|broker|redpanda)([-_]?\d+)?$"),
    (3, "variables", r"^kafka_(broker_id|node_id|advertised_listeners|process_roles|cfg_node_id)="),
    (2, "ports", r"^9092$"),
    has_pages=False,
)
