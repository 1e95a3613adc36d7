"""What a check noticed, with its remedy."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong or will go wrong: what and where, and what to do about it."""

    what: str
    remedy: str
    service: str = ""
    """The service that it is about; empty where it is about the whole."""
    replica: str = ""
    """The id of the replica that it is about, where it is about one."""

    def __str__(self) -> str:
        return f"{self.what}\n  {self.remedy}"
