"""Text that came from a container, made harmless."""

from __future__ import annotations


def plain(text: str, limit: int = 300) -> str:
    """One line without control or format characters (escapes, bidi), of at most `limit` characters."""
    # A cut before the scan, so that a huge text costs no more than a short one.
    cut = text[: limit * 4]
    words = "".join(c if c.isprintable() else " " for c in cut).split()
    line = " ".join(words)
    return line if len(line) <= limit and len(text) <= limit * 4 else line[: limit - 1] + "…"
