"""How the deck writes what it knows: sizes, rates, times, states. "-" is what is not known."""

from __future__ import annotations

from datetime import datetime

from tui.watch.words import NOT_KNOWN as UNKNOWN
from tui.watch.words import count, sign, size, took

__all__ = ["UNKNOWN", "clock", "count", "fit_line", "percent", "rate", "sign", "size", "span", "took"]


def rate(count: float | None) -> str:
    """Bytes a second."""
    return UNKNOWN if count is None else f"{size(count)}/s"


def percent(value: float | None) -> str:
    """A percentage, one digit after the point below 100."""
    if value is None:
        return UNKNOWN
    return f"{value:.1f} %" if value < 100 else f"{value:.0f} %"


def span(seconds: float | None) -> str:
    """A time that changes rarely on the screen: 42 s, 3 min, 2 h 10 min, 3 days."""
    if seconds is None:
        return UNKNOWN
    seconds = max(0, int(seconds))
    if seconds < 60:
        return f"{seconds // 5 * 5} s" if seconds >= 5 else "now"
    if seconds < 3600:
        return f"{seconds // 60} min"
    if seconds < 48 * 3600:
        return f"{seconds // 3600} h {seconds % 3600 // 60:02d} min"
    return f"{seconds // 86400} days"


def clock(at_ns: int, *, millis: bool = True) -> str:
    """A log line's time of day here, to the millisecond."""
    at = datetime.fromtimestamp(at_ns // 1_000_000_000)
    text = at.strftime("%H:%M:%S")
    return f"{text}.{at_ns // 1_000_000 % 1000:03d}" if millis else text


def fit_line(text: str, longest: int = 200) -> str:
    """One line of a bounded length."""
    text = " ".join(text.split())
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
