"""A database, or a store of keys."""

from __future__ import annotations

from tui.stack.model import Role
from tui.stack.roles.kind import kind

KIND = kind(
    Role.DATABASE,
    None,
    (
        3,
        "image",
        r"(^|/)(postgres|postgresql|postgis|mysql|mariadb|redis|valkey|mongo|cassandra|mssql)\b",
    ),
    (3, "name", r"^(postgres|postgresql|mysql|mariadb|redis|valkey|mongo|mongodb|db|database)\b"),
    (3, "variables", r"^(postgres_password|mysql_root_password|mariadb_root_password|mongo_initdb_.*)="),
    (3, "ports", r"^(5432|3306|6379|27017|9042|1433)$"),
    has_pages=False,
)
