"""A Spark master."""

from __future__ import annotations

from tui.stack.model import Role
from tui.stack.roles.kind import Page, kind

KIND = kind(
    Role.SPARK_MASTER,
    Page("Spark master", (8080,), chosen=r"(?:spark_master_webui_port=|--webui-port[ =])(\d{1,5})"),
    (6, "runs", r"deploy\.master\.master\b|start-master\.sh"),
    (5, "variables", r"^spark_(mode|workload)=master$"),
    (3, "image", r"spark-master"),
    (3, "name", r"spark[-_.]?master"),
    (3, "ports", r"^7077$"),
    (1, "name", r"\bmaster\b"),
    (1, "image", r"spark"),
    (1, "variables", r"^spark_master_(host|port|webui_port)="),
    (1, "ports", r"^8080$"),
)
