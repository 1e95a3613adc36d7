"""States and their signs; sizes and times as both deck and command line write them."""

from __future__ import annotations

from datetime import datetime

from tui.engine.interface import Replica, State

DOWN = "down"
UNKNOWN = "unknown"
LOOKING = "looking"
# In the place of a figure.
NOT_KNOWN = "-"
NOT_REGISTERED = "not registered"
SILENT = "silent"
# How a line begins of what is not well by its own word.
NOT_WELL = "not well"
DONE = "done"

# A sign beside each word, so that a state is never told by its colour alone; and how good that is.
_SIGNS = {
    "healthy": ("●", "good"),
    "running": ("●", "good"),
    DONE: ("✓", "good"),
    "starting": ("◐", "warn"),
    "created": ("◌", "warn"),
    "restarting": ("◐", "warn"),
    "paused": ("‖", "warn"),
    NOT_REGISTERED: ("▲", "bad"),
    SILENT: ("▲", "bad"),
    "unhealthy": ("▲", "bad"),
    "ended": ("✗", "bad"),
    DOWN: ("○", "dim"),
}


def sign(word: str) -> tuple[str, str]:
    """The sign for a state's word, and whether that is good, warn, bad or dim."""
    return _SIGNS.get(word, ("◌", "warn"))


def is_well(word: str) -> bool:
    """Whether all is as it should be with what this word describes."""
    return sign(word)[1] == "good"


def end_text(exit_code: int | None, *, out_of_memory: bool) -> str:
    """How a replica ended."""
    code = "an unknown exit code" if exit_code is None else f"exit code {exit_code}"
    return f"ended with {code}" + (", out of memory" if out_of_memory else "")


def count(number: int, noun: str, more: str = "") -> str:
    """`1 line`, `2,345 lines`; `1,000+ lines` where there are more."""
    return f"{number:,}{more} {noun}{'' if number == 1 and not more else 's'}"


def size(count: float | None) -> str:
    """Bytes in powers of 1024, at most eight cells: 0 B, 812 KiB, 1.2 GiB."""
    if count is None:
        return NOT_KNOWN
    value = float(count)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if value < 1000:
            return f"{value:.0f} {unit}" if unit == "B" or value >= 100 else f"{value:.1f} {unit}"
        value /= 1024
    return f"{value:.1f} TiB"


def took(seconds: float | None) -> str:
    """How long something took: 8.4 s, 3:05, 2 h 10 min, 3 days."""
    if seconds is None:
        return NOT_KNOWN
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(int(seconds), 60)
    hours = minutes // 60
    if hours >= 48:
        return f"{hours // 24} days"
    return f"{hours} h {minutes % 60:02d} min" if hours else f"{minutes}:{rest:02d}"


def lasting(seconds: float) -> str:
    """How long something goes on already: 0:42, 3:05, 2 h 10 min."""
    seconds = max(0.0, seconds)
    return took(seconds) if seconds >= 60 else f"0:{int(seconds):02d}"


def moment(at: datetime, now: datetime) -> str:
    """A time of today in this machine's zone, 14:03:07; of another day with its date, 20 Nov 14:03."""
    here = at.astimezone()
    return f"{here:%H:%M:%S}" if here.date() == now.astimezone().date() else f"{here:%d %b %H:%M}"


def ago(seconds: float) -> str:
    """How long ago something was, in steps of a minute."""
    minutes = int(seconds) // 60
    if minutes < 1:
        return "just now"
    if minutes < 60:
        return f"{minutes} min ago"
    return f"{minutes // 60} h ago" if minutes < 48 * 60 else f"{minutes // 1440} days ago"


def run_seconds(replica: Replica) -> float | None:
    """How long an ended replica's last run took."""
    if replica.state is not State.ENDED or replica.started_at is None or replica.ended_at is None:
        return None
    return max(0.0, (replica.ended_at - replica.started_at).total_seconds())


def took_text(replica: Replica) -> str:
    """`took 0:42` of an ended replica; empty where that is not known."""
    seconds = run_seconds(replica)
    if seconds is None:
        return ""
    return f"took {took(seconds) if seconds < 10 else lasting(seconds)}"
