"""The newest lines of a pane's log, as cards, rows and the table show them."""

from __future__ import annotations

from tui.deck import words
from tui.deck.draw import Row
from tui.deck.facts import without_token
from tui.deck.theme import Palette
from tui.text import bare
from tui.watch.live import LogEntry, Pane


def line_text(entry: LogEntry) -> str:
    """A line as it is shown in one row."""
    return without_token(bare(entry.text).expandtabs(4))


def newest(pane: Pane, style: Palette, width: int, count: int) -> list[Row]:
    """`count` rows of `width` cells, the last one the newest; empty ones below where there are fewer lines."""
    log = pane.log
    entries = log.rows(max(log.first, log.total - count), log.total) if count > 0 else []
    rows = []
    for entry in entries:
        row = Row(width)
        if entry.kind == "line":
            color = style.bad if entry.level == "error" else style.warn if entry.level == "warn" else style.dim
            row.add(line_text(entry), color)
        else:
            text = bare(entry.text) or f"{words.count(entry.skipped or 0, 'line')} skipped"
            row.add(f"── {text} ──", style.accent)
        rows.append(row)
    if count > 0 and not rows and pane.replica is not None:
        rows.append(Row(width).add("no log lines yet", style.dim))
    return rows + [Row(width) for _ in range(count - len(rows))]
