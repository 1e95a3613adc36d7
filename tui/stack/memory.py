"""Amounts of memory as Spark writes them."""

from __future__ import annotations

import re

_UNITS = {"": 1024**2, "b": 1, "k": 1024, "m": 1024**2, "g": 1024**3, "t": 1024**4}
_AMOUNT = re.compile(r"(\d{1,9})\s*([bkmgt]?)(?:i?b)?", re.IGNORECASE)


def memory_bytes(text: str) -> int | None:
    """`6G`, `512m` or `1024` (MiB, as Spark counts what has no unit) in bytes; None if it is none of these."""
    match = _AMOUNT.fullmatch(text.strip())
    return int(match[1]) * _UNITS[match[2].lower()] if match else None


def memory_text(amount: int) -> str:
    """Bytes as Spark takes them: whole `G`, else `M`."""
    return f"{amount // 1024**3}G" if amount % 1024**3 == 0 and amount else f"{amount // 1024**2}M"
