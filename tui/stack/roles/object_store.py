"""A store that speaks S3."""

from __future__ import annotations

from tui.stack.model import Role
from tui.stack.roles.kind import Page, kind

KIND = kind(
    Role.OBJECT_STORE,
    Page("Object store", (9001, 9000)),
    (6, "runs", r"\b(minio|garage|weed)\s+server\b"),
    (3, "image", r"(^|/)(minio|garage|seaweedfs|localstack|s3mock)\b"),
    (3, "name", r"\b(minio|garage|seaweedfs|s3)$"),
    (3, "variables", r"^minio_(root_user|access_key)="),
    (1, "ports", r"^900[01]$"),
)
