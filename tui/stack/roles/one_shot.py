"""What ends when its work is done."""

from __future__ import annotations

from tui.stack.model import Role
from tui.stack.roles.kind import kind

KIND = kind(
    Role.ONE_SHOT,
    None,
    (3, "name", r"\b(init|setup|migrate|migrations?|seed|bootstrap)$"),
    (3, "runs", r"\bairflow\s+db\s+(init|migrate|upgrade)\b|\bmc\s+(mb|alias)\b"),
    (3, "runs", r"\bkedro\s+run\b"),
    (4, "name", r"\b(minio|mc|s3)-?(client|init|setup|buckets?)$"),
    (2, "name", r"^create"),
    (2, "image", r"(^|/)minio/mc\b"),
    has_pages=False,
)
