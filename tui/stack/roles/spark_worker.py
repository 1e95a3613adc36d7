"""A Spark worker."""

from __future__ import annotations

from tui.stack.model import Role
from tui.stack.roles.kind import Page, kind

KIND = kind(
    Role.SPARK_WORKER,
    Page("Spark worker", (8081,), chosen=r"(?:spark_worker_webui_port=|--webui-port[ =])(\d{1,5})"),
    (6, "runs", r"deploy\.worker\.worker\b|start-(worker|slave)\.sh"),
    (5, "variables", r"^spark_(mode|workload)=(worker|slave)$"),
    (3, "image", r"spark-worker"),
    (3, "name", r"spark[-_.]?(worker|slave)"),
    (2, "name", r"\b(worker|slave)\b"),
    (1, "image", r"spark"),
    (1, "variables", r"^spark_worker_(memory|cores|port|webui_port)="),
    (1, "variables", r"^spark_master(_url)?=spark://"),
    (1, "ports", r"^8081$"),
)
