"""One pane's log: the newest lines in a ring, what a reader holds on to, and the way back to what the engine has."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import aclosing
from itertools import chain, islice
from sys import getsizeof

from tui.engine.interface import Engine, EngineError
from tui.watch.entries import ROW_BYTES, LogEntry, entry_of, row_of
from tui.watch.past import Past
from tui.watch.seam import MARK, Row, Seam

LINES = 5_000
BYTES = 4 * 1024 * 1024
# What a reader may hold on to beside the ring, older pages included.
HELD_LINES = 20_000
HELD_BYTES = 16 * 1024 * 1024
_CACHED = 1_000
_LOST = "no longer in the engine's log"


class LogRing:
    """Bounded in lines and bytes. Rows have absolute numbers and keep them while they are held.

    Newest lines are in the ring and push out the oldest. A reader who leaves the end calls `hold`: what is held then
    stays, together with the older pages that it loads, and where new lines run out of the ring meanwhile there is one
    gap. A gap stands at the number of its first row and counts for all it leaves out, so the numbers shown are those
    of `parts`: one range, or two with a gap between them. `drop_older` goes back to the ring alone.

    Nothing is worked out for a line until `row` asks for it. Without an engine there is nothing to go back to.
    """

    def __init__(self, engine: Engine | None) -> None:
        self._engine = engine
        self._live: deque[Row] = deque()
        self._live_bytes = 0
        self._kept: deque[Row] = deque()
        self._kept_first = 0
        self._kept_bytes = 0
        self._marks: dict[int, Row] = {}
        self._cache: dict[int, LogEntry] = {}
        self._changes = 0
        # The replica that writes now: its id, its first row, whether the engine has lines from before that row.
        self._replica_id: str | None = None
        self._start = 0
        self._begun_before: bool | None = False
        # The oldest row ever known, and whether the gap can be loaded.
        self._begin = 0
        self._gap_lost = False
        self._loading = asyncio.Lock()
        self.total = 0

    # What readers see.

    @property
    def version(self) -> int:
        """Changes with every change."""
        return self.total + self._changes

    @property
    def first(self) -> int:
        """The number of the oldest row held."""
        return self._kept_first if self._kept else self.total - len(self._live)

    @property
    def older(self) -> int | None:
        """How many rows before `first` were seen and let go or lie in the engine; None if some lie there uncounted."""
        if self._begun_before is False or self._start > self._begin:
            return self.let_go
        return None

    @property
    def let_go(self) -> int:
        """How many rows before `first` were seen and are not held any more."""
        return self.first - self._begin

    @property
    def parts(self) -> tuple[range, ...]:
        """The numbers of the rows that can be shown, the gap's own included."""
        live = range(self.total - len(self._live), self.total)
        if not self._kept:
            return (live,)
        if self._gap() == 0:
            return (range(self._kept_first, self.total),)
        return (range(self._kept_first, self._kept_end() + 1), live)

    def row(self, number: int) -> LogEntry | None:
        """The row of that number, or None if it is not held."""
        row = self._raw(number)
        if row is None:
            return self._gap_entry(number)
        found = self._cache.get(number)
        if found is None:
            if len(self._cache) >= _CACHED:
                self._cache.clear()
            found = self._cache[number] = self._entry(number, row)
        return found

    def rows(self, start: int, end: int) -> list[LogEntry]:
        """The rows held of `start <= number < end`."""
        numbers = chain.from_iterable(range(max(start, part.start), min(end, part.stop)) for part in self.parts)
        return [row for number in numbers if (row := self.row(number)) is not None]

    def raw(self, start: int, end: int) -> list[Row]:
        """Rows that follow each other, `start` being held, without working anything out."""
        return list(islice(self._rows_from(start), max(0, end - start)))

    def texts(self) -> Iterator[tuple[int, str]]:
        """Number and raw text of every row held, oldest first: for searching, without working anything out."""
        for number, row in enumerate(self._kept, self._kept_first):
            yield number, row[1]
        for number, row in enumerate(self._live, self.total - len(self._live)):
            yield number, row[1]

    # What the reader of the stream does.

    def begin(self, replica_id: str, *, tail: int | None) -> None:
        """From here on another replica writes; of its lines from before, the last `tail` ones come."""
        self._replica_id = replica_id
        self._start = self.total
        self._begun_before = None if tail is not None else False

    def settle(self, tail: int) -> None:
        """All old lines have come by now: fewer than were asked for are all there are."""
        if self._begun_before is None and self._lines_from(self._start) < tail:
            self._begun_before = False
            self._changes += 1

    def push(self, row: Row) -> None:
        """A new line."""
        self._live.append(row)
        self.total += 1
        self._live_bytes += getsizeof(row[1]) + ROW_BYTES
        if len(self._live) > LINES or self._live_bytes > BYTES:
            self._live_bytes -= getsizeof(self._live.popleft()[1]) + ROW_BYTES
            while self._live_bytes > BYTES:
                self._live_bytes -= getsizeof(self._live.popleft()[1]) + ROW_BYTES

    def mark(self, at_ns: int, text: str) -> None:
        """A row that says what happened to the replica."""
        row = (at_ns, text, MARK)
        self._marks[self.total] = row
        if len(self._marks) > LINES:
            del self._marks[next(iter(self._marks))]
        self.push(row)

    def seam(self) -> Seam:
        """Where a stream goes on that was interrupted."""
        own = min(self.total - self._start, len(self._live))
        rows: Iterable[Row] = islice(reversed(self._live), own)
        if self._gap() == 0 and self._kept:
            rows = chain(rows, islice(reversed(self._kept), max(0, self._kept_end() - max(self._start, self.first))))
        return Seam(rows)

    # Back to what the engine has.

    def hold(self) -> None:
        """Keeps what is held now, whatever comes, until `drop_older`."""
        if self._kept or not self._live:
            return
        self._kept_first = self.total - len(self._live)
        self._kept, self._kept_bytes = self._live, self._live_bytes
        self._live, self._live_bytes = deque(), 0

    def drop_older(self) -> None:
        """Goes back to the newest rows alone."""
        if not self._kept:
            return
        if self._gap() == 0:
            while self._kept and len(self._live) < LINES:
                size = getsizeof(self._kept[-1][1]) + ROW_BYTES
                if self._live_bytes + size > BYTES:
                    break
                self._live.appendleft(self._kept.pop())
                self._live_bytes += size
        else:
            # Rows between others go. Without a gap only the oldest do, which `first` tells.
            self._changes += 1
        self._kept = deque()
        self._kept_bytes = 0
        self._gap_lost = False

    def past(self, first: int | None = None, held: Iterable[Row] | None = None) -> Past | None:
        """The way back from the row `first` (where `held` are the rows from it on); None where there is none."""
        first = self.first if first is None else first
        if self.older == 0 or self._replica_id is None or self._begin < self._start >= first or not self._engine:
            return None
        return Past(
            self._engine,
            self._replica_id,
            first,
            self._rows_from(first) if held is None else held,
            lines_from=self._lines_from,
            marks=self._marks,
            start=self._start,
        )

    async def load_older(self, count: int = 1000) -> int:
        """Brings up to `count` older lines from the engine before `first`; they stay until `drop_older`.

        Returns how many came; 0 if there are none, and then `older` is 0. What was written by a replica that has
        been replaced went with it: a mark says how many lines that were. Raises EngineError.
        """
        async with self._loading:
            self.hold()
            if not self._kept or self.older == 0:
                return 0
            past = self.past()
            if past is None:
                self._lose_older()
                return 0
            kept = self._kept
            came = sum(1 for entry in await past.page(count) if entry.kind == "line")
            if self._kept is not kept:
                return 0
            self._kept.extendleft(reversed(past.window))
            self._kept_bytes += sum(getsizeof(row[1]) + ROW_BYTES for row in past.window)
            self._at(past)
            # The end goes, not what was just asked for; the gap grows by it.
            while len(self._kept) > HELD_LINES or self._kept_bytes > HELD_BYTES:
                self._kept_bytes -= getsizeof(self._kept.pop()[1]) + ROW_BYTES
            return came

    def show(self, past: Past) -> None:
        """Holds what a way back came to, instead of what was held; the rest up to the newest rows is a gap."""
        self.drop_older()
        self._kept = past.window.copy()
        self._kept_bytes = sum(getsizeof(row[1]) + ROW_BYTES for row in self._kept)
        self._at(past)

    def _at(self, past: Past) -> None:
        self._kept_first = past.first
        if self._start == self._begin:
            self._start = self._begin = min(self._begin, past.first)
        if past.ended:
            self._begun_before = False
            self._lose_older()
        self._changed()

    async def load(self, gap: int, count: int = 1000) -> int:
        """Brings the next `count` lines of the gap; it moves on or closes. Returns how many. Raises EngineError."""
        async with self._loading:
            if not self._gap() or gap != self._kept_end() or self._gap_lost:
                return 0
            if self._engine is None or self._replica_id is None or gap <= self._start:
                raise EngineError("These lines were written by a replica that was replaced; its log went with it.")
            kept, known = self._kept, self._lines_from(gap)
            for tail in (known + 2 * count, None):
                came = await self._read_gap(self._engine, kept, self._replica_id, tail, count)
                if came is not None:
                    break
            else:
                came = 0
            if self._kept is kept:
                # The engine has less than was seen.
                self._gap_lost = self._gap() > 0 and came < count
                self._trim()
                self._changed()
            return came

    async def _read_gap(
        self, engine: Engine, kept: deque[Row], replica_id: str, tail: int | None, count: int
    ) -> int | None:
        """How many lines came; None if the engine's log does not join what is kept."""
        came = 0
        seam = Seam(islice(reversed(kept), self._kept_end() - max(self._start, self._kept_first)))
        tail = tail and tail + seam.overlap()
        async with aclosing(engine.logs(replica_id, since_ns=seam.since_ns, tail=tail)) as lines:
            async for line in lines:
                row = row_of(line)
                new = seam.is_new(row)
                if self._kept is not kept or seam.torn:
                    return None
                if new:
                    self._append(row)
                    came += 1
                    if came >= count or not self._gap():
                        break
        return came

    def _append(self, row: Row) -> None:
        while self._gap() and (mark := self._marks.get(self._kept_end())):
            self._kept.append(mark)
        self._kept.append(row)
        self._kept_bytes += getsizeof(row[1]) + ROW_BYTES
        while self._gap() and (mark := self._marks.get(self._kept_end())):
            self._kept.append(mark)

    def _trim(self) -> None:
        while len(self._kept) > HELD_LINES or self._kept_bytes > HELD_BYTES:
            self._kept_bytes -= getsizeof(self._kept.popleft()[1]) + ROW_BYTES
            self._kept_first += 1

    def _lose_older(self) -> None:
        """Says that rows that were seen are nowhere any more."""
        lost = self.first - self._begin - sum(1 for mark in self._marks if self._begin <= mark < self.first)
        if lost > 0:
            self._kept.appendleft((self._kept[0][0], f"{lost} older lines are {_LOST}", MARK))
            self._kept_first -= 1
        self._begin = self.first
        self._changed()

    def _changed(self) -> None:
        self._changes += 1
        self._cache.clear()

    # Numbers.

    def _kept_end(self) -> int:
        return self._kept_first + len(self._kept)

    def _gap(self) -> int:
        return self.total - len(self._live) - self._kept_end() if self._kept else 0

    def _lines_from(self, number: int) -> int:
        """How many lines were written from that row on."""
        return self.total - number - sum(1 for mark in self._marks if mark >= number)

    def _rows_from(self, number: int) -> Iterator[Row]:
        """Rows that follow each other, from a held one on."""
        live = self.total - len(self._live)
        if number >= live:
            return islice(self._live, number - live, None)
        rows = chain(self._kept, self._live) if self._gap() == 0 else iter(self._kept)
        return islice(rows, number - self.first, None)

    def _raw(self, number: int) -> Row | None:
        if self._kept and self._kept_first <= number < self._kept_end():
            return self._kept[number - self._kept_first]
        at = number - (self.total - len(self._live))
        return self._live[at] if 0 <= at < len(self._live) else None

    def _entry(self, number: int, row: Row) -> LogEntry:
        def above(distance: int) -> str | None:
            raw = self._raw(number - distance)
            return None if raw is None or raw[2] == MARK else raw[1]

        return entry_of(number, row, above, self._cache.get(number - 1))

    def _gap_entry(self, number: int) -> LogEntry | None:
        skipped = self._gap()
        if not skipped or number != self._kept_end():
            return None
        at_ns = self._kept[-1][0]
        if self._gap_lost:
            return LogEntry(number, at_ns, f"{skipped} lines are {_LOST}", "mark", skipped=skipped)
        return LogEntry(number, at_ns, f"{skipped} lines skipped", "gap", skipped=skipped)
