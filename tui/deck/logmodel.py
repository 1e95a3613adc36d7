"""What a log view shows of a log: filtered, folded, wrapped; kept up to date by looking at new rows only."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Protocol

from rich.cells import cell_len

from tui.deck.pattern import Pattern
from tui.text import bare
from tui.watch.live import LogEntry

# Matches of a filter that are held; lines of a page on the way back.
MATCHES = 20_000
PAGE = 5_000
# A row of the view is number * PARTS + part: a wrapped line has several parts.
PARTS = 256
LEVELS = ("", "warn", "error")
_RANK = {"debug": 0, "info": 1, "warn": 2, "error": 3}
TAB = 8


class WayBack(Protocol):
    """Pages of older lines, each before the one before it."""

    @property
    def ended(self) -> bool:
        """Whether there is nothing more."""

    async def page(self, count: int) -> list[LogEntry]:
        """The next page, in order; fewer than `count` lines are the last ones. Raises EngineError."""

    def fork(self) -> WayBack:
        """Another one from the same place."""


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

    async def load(self, gap: int, count: int = 1000) -> int:
        """Fills a gap row, or begins to."""

    def past(self, first: int | None = None) -> WayBack | None:
        """The way back from that row, or from the first one; None if nothing lies there."""

    def show(self, past: Any) -> None:
        """Holds what a way back (its own) came to."""


def parts_of(text: str, width: int) -> int:
    """How many rows of `width` cells a text takes."""
    length = len(text) if text.isascii() else cell_len(text)
    return max(1, min(PARTS, -(-length // width)))


class LogModel:
    """The rows to show: `index` holds their codes in order.

    With a filter or a level the model holds the matches itself, however far they lie apart: those that came while it
    looked, and those that `take_older` was given of the way back.
    """

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
        self.looked = 0
        """How many lines before the source's first one the filter has looked at."""
        self._past: WayBack | None = None
        self._narrowed_by: tuple[Pattern | None, str] = (None, "")
        self._matches: dict[int, LogEntry] = {}
        self._heads: dict[int, int] = {}
        self._is_held = False
        # Whether lines came that the filter did not look at, for a reader's sake.
        self._hole = False
        self._next = source.first
        self._first = source.first
        self._structure = source.version - source.total
        self._head: int | None = None
        self._head_shown = False

    @property
    def narrowed(self) -> bool:
        """Whether there is a filter or a level."""
        return self.pattern is not None or bool(self.level)

    @property
    def older(self) -> int | None:
        """How many lines lie before those that were looked at; None: some."""
        if self.narrowed and self._past is not None:
            return 0 if self._past.ended else None
        return self.source.older

    def entry(self, number: int) -> LogEntry | None:
        """A row that is shown."""
        return self._matches.get(number) or self.source.row(number)

    def hold(self) -> None:
        """Somebody reads above the end: what is shown stays."""
        self._is_held = True
        if not self.narrowed:
            self.source.hold()

    def release(self) -> None:
        """Nobody does any more."""
        self._is_held = False
        self.source.drop_older()
        if self._hole:
            self._forget()
            self.rebuild()

    def rebuild(self) -> None:
        """Looks at every row again."""
        if self._narrowed_by != (self.pattern, self.level):
            if self.narrowed:
                self.source.drop_older()
            self._forget()
        elif not self.narrowed:
            self._next = self.source.first
        self.index = []
        self.folds = {}
        self._structure = self.source.version - self.source.total
        self._first = self.source.first
        self._head, self._head_shown = None, False
        for entry in self._matches.values():
            self._match(entry, self._heads.get(entry.number))
        self._take()
        self._cut_gap()

    def _forget(self) -> None:
        self._narrowed_by = (self.pattern, self.level)
        self._matches, self._heads = {}, {}
        self._past, self.looked, self._hole = None, 0, False
        self._next = self.source.first
        if self._is_held and not self.narrowed:
            self.source.hold()

    def update(self) -> tuple[bool, int]:
        """Takes new rows in and lets gone ones go: whether all is new, and how many rows went at the top."""
        source = self.source
        changed = source.version - source.total != self._structure or source.total < self._next
        # What a filter looked at may go; lines that went before it looked at them lie on the way back.
        lost = source.first > self._next if self.narrowed else source.first < self._first
        if changed or lost:
            if self.narrowed and lost:
                self._hole = self._is_held
                if not self._is_held:
                    self._forget()
            self.rebuild()
            return True, 0
        gone = 0
        if source.first > self._first and not self.narrowed:
            gone = self._let_go(source.first)
        self._first = source.first
        self._take()
        if len(self._matches) > MATCHES and not self._is_held:
            gone += self._let_go(sorted(self._matches)[len(self._matches) - MATCHES * 3 // 4])
            self._past, self.looked = None, 0
        self._cut_gap()
        return False, gone

    def _let_go(self, first: int) -> int:
        gone = bisect_left(self.index, first * PARTS)
        del self.index[:gone]
        self.folds = {head: number for head, number in self.folds.items() if head >= first}
        self.opened = {head for head in self.opened if head >= first}
        self._matches = {number: entry for number, entry in self._matches.items() if number >= first}
        self._heads = {number: head for number, head in self._heads.items() if number >= first}
        return gone

    def _cut_gap(self) -> None:
        """Rows that ran out of the ring under a reader leave one gap row."""
        parts = self.source.parts
        if len(parts) < 2 or self.narrowed:
            return
        gap = parts[0].stop - 1
        start = bisect_left(self.index, gap * PARTS)
        end = bisect_left(self.index, parts[1].start * PARTS)
        if end - start != 1 or self.index[start] != gap * PARTS:
            self.index[start:end] = [gap * PARTS]

    def _take(self) -> None:
        source = self.source
        if self.narrowed and self._is_held and len(self._matches) >= MATCHES:
            # The reader keeps what is there; what comes is on the way back when the end is shown again.
            self._hole = True
            return
        start = max(self._next, source.first)
        self._next = source.total
        self._sift(source.rows(start, source.total))

    def _sift(self, entries: Iterable[LogEntry]) -> None:
        plain = not self.narrowed
        for entry in entries:
            head = self._head if entry.continues and entry.kind == "line" else None
            if head is None or not self._head_shown:
                shown = plain or self._wanted(entry)
                if entry.kind == "line" and head is None:
                    self._head, self._head_shown = entry.number, shown
                if not shown:
                    continue
                head = None
            if not plain:
                self._matches[entry.number] = entry
                if head is not None:
                    self._heads[entry.number] = head
            self._match(entry, head)

    def _match(self, entry: LogEntry, head: int | None) -> None:
        """Shows a row, or folds it away under the head of its trace."""
        if head is not None:
            self.folds[head] = self.folds.get(head, 0) + 1
            if self.fold and head not in self.opened:
                return
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

    # the way back of a filter

    def past(self) -> WayBack | None:
        """The way back from what the filter has looked at; None if there is none."""
        if self._past is None:
            gone = self._let_go(self.source.first) if self._matches else 0
            self._past = self.source.past()
            if gone:
                self.rebuild()
        return self._past

    def take_older(self, entries: Sequence[LogEntry]) -> None:
        """Takes a page of the way back in."""
        self.looked += len(entries)
        newer, index = self._matches, self.index
        state = self._head, self._head_shown
        self._matches, self.index = {}, []
        self._head, self._head_shown = None, False
        self._sift(entries)
        self._head, self._head_shown = state
        self._matches |= newer
        self.index += index

    @property
    def full(self) -> bool:
        """Whether as many matches are held as may be."""
        return len(self._matches) >= MATCHES

    # searching

    def toggle(self, number: int) -> bool:
        """Opens or closes the stack trace that a row heads; whether there is one."""
        if not self.folds.get(number):
            return False
        self.opened ^= {number}
        self.rebuild()
        return True

    def find(self, pattern: Pattern, start: int, step: int) -> int | None:
        """The next place in the index from `start` on (inclusive) whose line matches, or that of the gap before it;
        None if there is neither."""
        texts = dict(self._texts())
        gap = self.gap
        for place in range(start, len(self.index) if step > 0 else -1, step):
            number, part = divmod(self.index[place], PARTS)
            if part == 0 and (number == gap or pattern.search(bare(texts.get(number, "")))):
                return place
        return None

    @property
    def gap(self) -> int | None:
        """The number of the row that stands for skipped lines, if there is one that loads."""
        parts = self.source.parts
        if self.narrowed or len(parts) < 2:
            return None
        entry = self.source.row(parts[0].stop - 1)
        return entry.number if entry is not None and entry.kind == "gap" else None

    def number_at(self, place: int) -> int:
        """The number of the row at a place of the index."""
        return self.index[place] // PARTS

    def place_of(self, number: int) -> int:
        """Where a row stands in the index, or the next one after it."""
        return bisect_left(self.index, number * PARTS)

    def _texts(self) -> Iterable[tuple[int, str]]:
        if self.narrowed:
            return ((number, entry.text) for number, entry in self._matches.items())
        return self.source.texts()

    def texts(self) -> Sequence[str]:
        """Every line that is shown, without colours, for a file."""
        wanted = {code // PARTS for code in self.index}
        return [bare(text) for number, text in self._texts() if number in wanted]
