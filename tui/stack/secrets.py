"""What looks like a secret, by its name or its place."""

from __future__ import annotations

import re

NAMES = r"pass|secret|token|credential|private|api[._-]?key|access[._-]?key|root[._-]?user|auth"
IN_URL = re.compile(r"(://[^/:@\s]+:)[^@/\s]+(@)")
"""A password inside an address, between the two groups."""
_SECRET = re.compile(NAMES, re.IGNORECASE)


def is_secret(name: str) -> bool:
    """Whether a setting of this name holds a secret."""
    return _SECRET.search(name) is not None


def without_secrets(words: list[str]) -> list[str]:
    """A command line without what looks like a secret: `--conf NAME=VALUE`, `NAME=VALUE`, `--name VALUE`,
    an address with a password."""
    kept: list[str] = []
    drop = False
    for word in words:
        if drop and not word.startswith("-"):
            drop = False
            continue
        name, sign, _ = word.partition("=")
        named = is_secret(name) and (bool(sign) or word.startswith("-"))
        drop = named and not sign
        if named or IN_URL.search(word):
            if kept and kept[-1] in ("--conf", "-c"):
                kept.pop()
            continue
        kept.append(word)
    return kept
