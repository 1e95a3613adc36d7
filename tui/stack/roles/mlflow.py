"""An MLflow server."""

from __future__ import annotations

from tui.stack.model import Role
from tui.stack.roles.kind import Page, kind

KIND = kind(
    Role.MLFLOW,
    Page("MLflow", (5000,), chosen=r"(?:mlflow_port=|--port[ =]|-p )(\d{1,5})"),
    (6, "runs", r"\bmlflow\s+(server|ui)\b"),
    (3, "image", r"mlflow"),
    (3, "name", r"\bmlflow\b"),
    (2, "variables", r"^mlflow_(backend_store_uri|artifacts_destination|default_artifact_root)="),
    (1, "ports", r"^5000$"),
)
