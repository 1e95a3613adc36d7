"""An application with a page, Spark's history among them."""

from __future__ import annotations

from tui.stack.model import Role
from tui.stack.roles.kind import kind

KIND = kind(
    Role.APP,
    None,
    (6, "runs", r"historyserver|thriftserver|start-history-server\.sh"),
    (5, "variables", r"^spark_(mode|workload)=history"),
    (3, "name", r"\bhistory\b"),
    (3, "runs", r"\b(uvicorn|gunicorn|hypercorn|streamlit)\b|\bfastapi\s+run\b|\bkedro\s+viz\b"),
    (3, "name", r"^app\b(?!.*\b(init|setup|migrat\w*|seed|bootstrap)$)"),
)
