"""Where Spark applications are submitted from."""

from __future__ import annotations

from tui.stack.model import Role
from tui.stack.roles.kind import Page, kind

KIND = kind(
    Role.SPARK_CLIENT,
    Page("Spark application", (4040,)),
    (6, "runs", r"\bspark-(submit|shell|sql)\b|\bpyspark\b(?!.*jupyter)"),
    (5, "variables", r"^spark_(mode|workload)=(submit|client|driver)$"),
    (3, "image", r"spark-(submit|client)"),
    (3, "name", r"spark[-_.]?(submit|client|driver|app)\b"),
    (2, "runs", r"^(.* )?(sleep infinity|tail -f /dev/null)$"),
    (1, "image", r"spark"),
    (1, "variables", r"^spark_master(_url)?=spark://"),
)
