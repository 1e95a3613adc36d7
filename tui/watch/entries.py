"""A row of a log as readers see it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from tui.engine.interface import LogLine
from tui.watch import log_lines
from tui.watch.seam import ERR, MARK, OUT, Row

# A row's tuple and its numbers.
ROW_BYTES = 120
# Rows that are looked at before others have their turn.
_SLICE = 500


@dataclass(frozen=True, slots=True)
class LogEntry:
    """A row of a log. `kind`: `line`; `mark` (a replica was started, ended, replaced: `text` says it); `gap`
    (`skipped` lines between the rows around it are not held; `LogRing.load` brings them back). `level` is one of
    error, warn, info, debug or None; `continues` says that the row belongs to the stack trace begun above.
    `owner` is the place of the log that it came from, where several are shown as one."""

    number: int
    at_ns: int
    text: str
    kind: str = "line"
    is_error_stream: bool = False
    level: str | None = None
    continues: bool = False
    skipped: int | None = None
    owner: int = 0


def entry_of(
    number: int, row: Row, above: Callable[[int], str | None], entry_above: LogEntry | None = None
) -> LogEntry:
    """A row that is held; `above(1)` is the text of the line before it, None where there is none. `entry_above` is
    that line's, where it is known."""
    at_ns, text, kind = row
    if kind == MARK:
        return LogEntry(number, at_ns, text, "mark")
    follows = log_lines.continues(text, above, above_does=entry_above.continues if entry_above else None)
    found = None if follows else log_lines.level(text)
    return LogEntry(number, at_ns, text, "line", kind == ERR, found, follows)


async def entries_of(number: int, rows: Sequence[Row]) -> list[LogEntry]:
    """Rows that follow each other, the first one's number being `number`; others have their turn meanwhile."""

    def above(at: int, back: int) -> str | None:
        row = rows[at - back] if at >= back else None
        return None if row is None or row[2] == MARK else row[1]

    entries: list[LogEntry] = []
    for at, row in enumerate(rows):
        entries.append(entry_of(number + at, row, partial(above, at), entries[-1] if entries else None))
        if at % _SLICE == _SLICE - 1:
            await asyncio.sleep(0)
    return entries


def row_of(line: LogLine) -> Row:
    """A line as it is held."""
    return line.at_ns, line.text, ERR if line.is_error_stream else OUT


def row_of_entry(entry: LogEntry) -> Row:
    """The row that an entry was made of."""
    return entry.at_ns, entry.text, MARK if entry.kind != "line" else ERR if entry.is_error_stream else OUT
