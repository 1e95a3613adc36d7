"""The machine that the deck runs on."""

from __future__ import annotations

from dataclasses import dataclass

import psutil


@dataclass(frozen=True, slots=True)
class Host:
    """The machine: CPU in percent of all cores, memory in bytes."""

    cpu_percent: float | None
    memory_used: int | None
    memory_total: int | None


NOTHING_YET = Host(None, None, None)


def begin() -> None:
    """Sets the point from which the first `look` counts CPU time."""
    psutil.cpu_percent(None)


def look() -> Host:
    """The load since the last look; some microseconds, no waiting."""
    memory = psutil.virtual_memory()
    return Host(psutil.cpu_percent(None), memory.total - memory.available, memory.total)
