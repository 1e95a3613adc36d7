"""The word for a replica's state and what explains it; sizes and times as both deck and command line write them."""

from __future__ import annotations

from datetime import datetime

from tui.engine.interface import Health, Replica, State

DOWN = "down"
UNKNOWN = "unknown"
# In the place of a figure.
NOT_KNOWN = "-"
NOT_REGISTERED = "not registered"
DONE = "done"
_WELL = ("healthy", "running", DONE)
# More of a health check's output says nothing in a line.
_OUTPUT = 300


def state_word(replica: Replica | None, *, one_shot: bool = False, registered: bool | None = None) -> str:
    """One word for state and health: down, created, starting, healthy, running, unhealthy, not registered,
    paused, restarting, done, ended, unknown. `one_shot`: its service ends when its work is done; `registered`: what
    the Spark master says of a worker."""
    if replica is None:
        return DOWN
    if replica.state is State.ENDED:
        return DONE if replica.exit_code == 0 and (replica.is_run or one_shot) else "ended"
    if replica.state is not State.RUNNING:
        return str(replica.state)
    if replica.is_run:
        # Its service's health check says nothing of a job.
        return "running"
    if replica.health in (Health.STARTING, Health.UNHEALTHY):
        return str(replica.health)
    if registered is False:
        return NOT_REGISTERED
    return "healthy" if replica.health is Health.HEALTHY else "running"


def is_well(word: str) -> bool:
    """Whether all is as it should be with what this word describes."""
    return word in _WELL


def end_text(exit_code: int | None, *, out_of_memory: bool) -> str:
    """How a replica ended."""
    code = "an unknown exit code" if exit_code is None else f"exit code {exit_code}"
    return f"ended with {code}" + (", out of memory" if out_of_memory else "")


def state_note(replica: Replica | None, word: str) -> str:
    """What explains a word that is not well; empty where there is nothing to say."""
    if replica is None:
        return ""
    if word == "ended":
        return end_text(replica.exit_code, out_of_memory=replica.out_of_memory)
    if word == "unhealthy":
        return " ".join(replica.health_output.split())[:_OUTPUT] or "its health check says nothing"
    if word == NOT_REGISTERED:
        return "the Spark master does not know it"
    return ""


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
