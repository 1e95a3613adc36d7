"""Jupyter."""

from __future__ import annotations

from tui.stack.model import Role
from tui.stack.roles.kind import Page, kind

KIND = kind(
    Role.JUPYTER,
    Page("JupyterLab", (8888,), "/lab?token={token}", r"--(?:serverapp\.|notebookapp\.)?port[ =](\d{1,5})"),
    (6, "runs", r"\bjupyter(-|\s+)(lab|notebook|server)\b|start-notebook\.(sh|py)"),
    (3, "image", r"jupyter|-notebook\b"),
    (3, "name", r"jupyter|\bnotebooks?\b"),
    (3, "variables", r"^jupyter_(token|enable_lab)="),
    (2, "ports", r"^8888$"),
)
