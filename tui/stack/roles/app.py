"""An application with a page."""

from __future__ import annotations

from tui.stack.model import Role
from tui.stack.roles.kind import kind

KIND = kind(
    Role.APP,
    None,
    (3, "runs", r"\b(uvicorn|gunicorn|hypercorn|streamlit)\b|\bfastapi\s+run\b|\bkedro\s+viz\b"),
    (3, "name", r"^app\b(?!.*\b(init|setup|migrat\w*|seed|bootstrap)$)"),
)
