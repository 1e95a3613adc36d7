"""What a log view shows of a log: filtered, folded, wrapped; kept up to date by looking at new rows only."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from rich.cells import cell_len

from tui.text import bare
from tui.watch.live import LogEntry

# A row of the view is number * PARTS + part: a wrapped line has several parts.
PARTS = 256
LEVELS = ("", "warn", "error")
_RANK = {"debug": 0, "info": 1, "warn": 2, "error": 3}
TAB = 8


class LogSource(Protocol):
    """Rows by number, `first <= number < total`: a pane's ring or several merged."""

    @property
    def first(self) -> int:
        """The lowest number that is held."""

    @property
    def total(self) -> int:
        """One more than the highest number."""

    @property
    def older(self) -> int | None:
        """How many lines lie before the first one; None: some."""

    @property
    def version(self) -> int:
        """Changes with every change; `version - total` only with those that are not just new rows."""

    @property
    def parts(self) -> tuple[range, ...]:
        """The numbers that are held: one range, or two; then the last of the first one is the gap between them."""

    def rows(self, start: int, end: int) -> list[LogEntry]:
        """The rows from `start` to before `end`."""

    def row(self, number: int) -> LogEntry | None:
        """One row."""

    def texts(self) -> Iterator[tuple[int, str]]:
        """Number and raw text of every row held."""

    def hold(self) -> None:
        """Somebody reads above the end: what is held stays."""

    def drop_older(self) -> None:
        """Nobody does any more."""

    async def load_older(self, count: int = 1000) -> int:
        """Brings older lines."""

    async def load(self, gap: int) -> int:
        """Fills a gap row."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """A plain text without regard to case, or `/a regular expression/`; `!` before it turns it round."""

    text: str
    search: Callable[[str], re.Match[str] | None]
    inverse: bool = False

    def __call__(self, line: str) -> bool:
        """Whether a line is wanted."""
        return (self.search(line) is not None) is not self.inverse


def parse_pattern(text: str) -> Pattern | None:
    """A pattern from what a person typed; None from nothing. Raises ValueError with the reason."""
    inverse = text.startswith("!")
    body = text[1:] if inverse else text
    if not body:
        return None
    if body.startswith("/") and len(body) > 1:
        expression = body[1:-1] if body.endswith("/") and len(body) > 2 else body[1:]
        try:
            return Pattern(text, re.compile(expression, re.IGNORECASE).search, inverse)
        except re.error as error:
            raise ValueError(f"{expression!r} is no regular expression: {error}") from error
    return Pattern(text, re.compile(re.escape(body), re.IGNORECASE).search, inverse)


def parts_of(text: str, width: int) -> int:
    """How many rows of `width` cells a text takes."""
    length = len(text) if text.isascii() else cell_len(text)
    return max(1, min(PARTS, -(-length // width)))


class LogModel:
    """The rows to show: `index` holds their codes in order."""

    def __init__(self, source: LogSource) -> None:
        self.source = source
        self.pattern: Pattern | None = None
        self.level = ""
        self.fold = True
        self.width = 0
        """Cells of a wrapped row; 0: lines are not wrapped."""
        self.opened: set[int] = set()
        self.folds: dict[int, int] = {}
        self.index: list[int] = []
        self._next = source.first
        self._first = source.first
        self._structure = source.version - source.total
        self._head: int | None = None
        self._head_shown = False

    def rebuild(self) -> None:
        """Looks at every row again."""
        self.index = []
        self.folds = {}
        self._next = self._first = self.source.first
        self._structure = self.source.version - self.source.total
        self._head, self._head_shown = None, False
        self._take()
        self._cut_gap()

    def update(self) -> tuple[bool, int]:
        """Takes new rows in and lets gone ones go: whether all is new, and how many rows went at the top."""
        source = self.source
        if source.version - source.total != self._structure or source.first < self._first or source.total < self._next:
            self.rebuild()
            return True, 0
        gone = 0
        if source.first > self._first:
            limit = source.first * PARTS
            for code in self.index:
                if code >= limit:
                    break
                gone += 1
            del self.index[:gone]
            self._first = source.first
            self.folds = {head: number for head, number in self.folds.items() if head >= source.first}
            self.opened = {head for head in self.opened if head >= source.first}
        self._take()
        self._cut_gap()
        return False, gone

    def _cut_gap(self) -> None:
        """Rows that ran out of the ring under a reader leave one gap row."""
        parts = self.source.parts
        if len(parts) < 2:
            return
        gap = parts[0].stop - 1
        start = bisect_left(self.index, gap * PARTS)
        end = bisect_left(self.index, parts[1].start * PARTS)
        if end - start != 1 or self.index[start] != gap * PARTS:
            self.index[start:end] = [gap * PARTS]

    def _take(self) -> None:
        source = self.source
        start = max(self._next, source.first)
        self._next = source.total
        plain = self.pattern is None and not self.level
        for entry in source.rows(start, source.total):
            if entry.continues and self._head is not None and entry.kind == "line":
                self.folds[self._head] = self.folds.get(self._head, 0) + 1
                hidden = self.fold and self._head not in self.opened and self._head_shown
                if hidden or not (plain or self._wanted(entry)):
                    continue
                self._add(entry)
            else:
                shown = plain or self._wanted(entry)
                if entry.kind == "line":
                    self._head, self._head_shown = entry.number, shown
                if shown:
                    self._add(entry)

    def _add(self, entry: LogEntry) -> None:
        code = entry.number * PARTS
        if not self.width:
            self.index.append(code)
            return
        self.index.extend(range(code, code + parts_of(bare(entry.text).expandtabs(TAB), self.width)))

    def _wanted(self, entry: LogEntry) -> bool:
        if entry.kind != "line":
            return True
        if self.level and _RANK.get(entry.level or "", 0) < _RANK[self.level]:
            return False
        return self.pattern is None or self.pattern(bare(entry.text))

    def toggle(self, number: int) -> bool:
        """Opens or closes the stack trace that a row heads; whether there is one."""
        if not self.folds.get(number):
            return False
        self.opened ^= {number}
        self.rebuild()
        return True

    def find(self, pattern: Pattern, start: int, step: int) -> int | None:
        """The next place in the index from `start` on (inclusive, round the end) whose line matches; None if none."""
        size = len(self.index)
        if not size:
            return None
        matching = {number for number, text in self.source.texts() if pattern.search(bare(text))}
        for offset in range(size if matching else 0):
            place = (start + step * offset) % size
            number, part = divmod(self.index[place], PARTS)
            if part == 0 and number in matching:
                return place
        return None

    def place_of(self, number: int) -> int:
        """Where a row stands in the index, or the next one after it."""
        return bisect_left(self.index, number * PARTS)

    def texts(self) -> Sequence[str]:
        """Every line that is shown, without colours, for a file."""
        wanted = {code // PARTS for code in self.index}
        return [bare(text) for number, text in self.source.texts() if number in wanted]
