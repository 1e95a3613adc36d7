"""What runs work at its time: Airflow, Dagster, Prefect."""

from __future__ import annotations

from tui.stack.model import Role
from tui.stack.roles.kind import Page, kind

KIND = kind(
    Role.SCHEDULER,
    Page("Scheduler", (8080, 3000, 4200)),
    (
        6,
        "runs",
        r"\bairflow\s+(scheduler|webserver|api-server|standalone|triggerer|dag-processor|celery)\b"
        r"|\bdagster-(webserver|daemon)\b|\bprefect\s+server\b",
    ),
    (3, "image", r"airflow|dagster|prefect"),
    (3, "name", r"airflow|dagster|prefect"),
    (3, "variables", r"^airflow__core__executor="),
)
