"""Several logs as one, by time."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain, islice
from operator import itemgetter

from tui.deck.logmodel import WayBack
from tui.watch.entries import LogEntry, entries_of, row_of_entry
from tui.watch.follower import TAIL
from tui.watch.live import Pane
from tui.watch.seam import Row

# Rows to begin with, the way back brings the others; rows held, how many more for somebody who reads above the end; how
# long (ns) a line may come later than a younger one of another service and still stand before it.
FIRST_ROWS = 2_000
MERGED_ROWS = 20_000
HELD_ROWS = 40_000
LATE_NS = 300_000_000
# Lines of one service that are read at a time on the way back.
SERVICE_PAGE = 2_000


class Held:
    """The way back through rows that a ring holds, before the row `first`, and then through what lies before them."""

    def __init__(self, first: int, rows: list[Row], before: WayBack | None) -> None:
        self._first = first
        self._rows = rows
        self._before = before

    @property
    def ended(self) -> bool:
        """Whether there is nothing more."""
        return not self._rows and (self._before is None or self._before.ended)

    def fork(self) -> Held:
        """Another way back from the same place."""
        return Held(self._first, self._rows.copy(), self._before and self._before.fork())

    async def page(self, count: int) -> list[LogEntry]:
        """The next rows, in order. Raises EngineError."""
        if not self._rows:
            return await self._before.page(count) if self._before else []
        rows = self._rows[-count:]
        del self._rows[-count:]
        self._first -= len(rows)
        return await entries_of(self._first, rows)


class MergedPast:
    """The way back through several logs, by time."""

    def __init__(self, first: int, pasts: Sequence[WayBack | None]) -> None:
        self.first = first
        self.window: deque[LogEntry] = deque(maxlen=MERGED_ROWS)
        """The last rows that were given out; `first` is the number of the first one."""
        self._pasts = list(pasts)
        # Read and not given out yet.
        self._read: list[list[LogEntry]] = [[] for _ in pasts]

    @property
    def ended(self) -> bool:
        """Whether there is nothing more."""
        return not any(self._read) and all(past is None or past.ended for past in self._pasts)

    def fork(self) -> MergedPast:
        """Another way back from the same place."""
        other = MergedPast(self.first, [past and past.fork() for past in self._pasts])
        other._read = [list(rows) for rows in self._read]
        other.window = self.window.copy()
        return other

    async def page(self, count: int) -> list[LogEntry]:
        """The `count` rows before `first`, in order. Fewer: these were all. Raises EngineError."""
        page: list[LogEntry] = []
        while len(page) < count:
            for place, past in enumerate(self._pasts):
                while past is not None and not (self._read[place] or past.ended):
                    rows = await past.page(SERVICE_PAGE)
                    self._read[place] = [replace(entry, owner=place) for entry in rows]
            # Each has its newest row at hand, until one is used up of which there is more.
            places = [place for place, rows in enumerate(self._read) if rows]
            if not places:
                break
            while len(page) < count and places:
                place = max(places, key=lambda place: self._read[place][-1].at_ns)
                page.append(self._read[place].pop())
                if not self._read[place]:
                    break
        self.first -= len(page)
        page = [replace(entry, number=number) for number, entry in enumerate(reversed(page), self.first)]
        self.window.extendleft(reversed(page))
        return page


class MergedLog:
    """A log source over several panes' rings. An entry's `owner` is the place (in `panes`) of its service."""

    def __init__(self, panes: Sequence[Pane]) -> None:
        self.panes = list(panes)
        self._changes = 0
        self._is_held = False
        # The newest rows, under their numbers in their rings; and rows far above them that a search came to.
        self._entries: deque[LogEntry] = deque()
        self._first = 0
        self._kept: list[LogEntry] = []
        self._kept_first = 0
        self._ways: dict[bool, MergedPast] = {}
        self._waiting: list[LogEntry] = []
        self._read: list[int] = []
        self._again()

    @property
    def first(self) -> int:
        """The number of the oldest row."""
        return self._kept_first if self._kept else self._first

    @property
    def total(self) -> int:
        """One more than the last row's number."""
        return self._first + len(self._entries)

    @property
    def version(self) -> int:
        """Changes with every change."""
        return self.total + self._changes

    @property
    def older(self) -> int | None:
        """0 if there is nothing before the first row; None: some lines."""
        way = self._ways.get(bool(self._kept))
        if way is not None:
            return 0 if way.ended else None
        return 0 if self._begun and not any(pane.log.older != 0 for pane in self.panes) else None

    @property
    def parts(self) -> tuple[range, ...]:
        """One range, or two; then the last row of the first one tells what is left out."""
        live = range(self._first, self.total)
        return (range(self._kept_first, self._kept_first + len(self._kept)), live) if self._kept else (live,)

    def row(self, number: int) -> LogEntry | None:
        """One row, if it is held."""
        if number >= self._first:
            at = number - self._first
            return replace(self._entries[at], number=number) if at < len(self._entries) else None
        at = number - self._kept_first
        return self._kept[at] if 0 <= at < len(self._kept) else None

    def rows(self, start: int, end: int) -> list[LogEntry]:
        """The rows held of `start <= number < end`."""
        kept = self._kept[max(0, start - self._kept_first) : max(0, end - self._kept_first)]
        live = islice(self._entries, max(0, start - self._first), max(0, end - self._first))
        return [*kept, *(replace(row, number=number) for number, row in enumerate(live, max(start, self._first)))]

    def texts(self) -> Iterator[tuple[int, str]]:
        """Number and text of every row held."""
        for number, entry in chain(enumerate(self._kept, self._kept_first), enumerate(self._entries, self._first)):
            yield number, entry.text

    def hold(self) -> None:
        """Keeps what is held now, until `drop_older`."""
        self._is_held = True

    def drop_older(self) -> None:
        """Goes back to what the rings hold."""
        if self._is_held:
            self._is_held = False
            self._again()

    def pull(self) -> None:
        """Takes in what the rings have got. A line waits one call for earlier ones of other services."""
        self._pull(settle=False)

    def _pull(self, *, settle: bool) -> None:
        if self._is_held and len(self._entries) >= HELD_ROWS:
            return
        new = list(self._waiting)
        for place, pane in enumerate(self.panes):
            log = pane.log
            lost = log.first - self._read[place]
            if log.total > self._read[place]:
                entries = log.rows(max(self._read[place], log.first), log.total)
                if lost > 0 and entries:
                    text = f"{lost} lines: see its own log"
                    new.append(LogEntry(0, entries[0].at_ns, text, "mark", skipped=lost, owner=place))
                new += [replace(entry, owner=place) for entry in entries]
                self._read[place] = log.total
        if not new:
            return
        grown = len(new) > len(self._waiting)
        new.sort(key=_time)
        ready = len(new)
        if grown and not settle:
            ready = bisect_right(new, new[-1].at_ns - LATE_NS, key=_time)
        self._entries.extend(new[:ready])
        self._waiting = new[ready:]
        while len(self._entries) > MERGED_ROWS and not self._is_held:
            self._entries.popleft()
            self._first += 1
            self._begun = False

    def past(self, first: int | None = None) -> MergedPast:
        """The way back from the first row, or from the first one below those that a search came to."""
        return self._way(bool(self._kept) and first != self._first).fork()

    def _way(self, kept: bool) -> MergedPast:
        way = self._ways.get(kept)
        if way is None:
            way = self._way_of_rings()
            if self._is_held:
                self._ways[kept] = way
        return way

    def _way_of_rings(self) -> MergedPast:
        rows: list[list[LogEntry]] = [[] for _ in self.panes]
        for entry in chain(self._entries, self._waiting):
            if entry.skipped is None:
                rows[entry.owner].append(entry)
        pasts: list[WayBack | None] = []
        for pane, own, read in zip(self.panes, rows, self._read, strict=True):
            log = pane.log
            oldest = own[0].number if own else read
            begin = log.parts[-1].start
            if oldest >= begin:
                pasts.append(Held(oldest, log.raw(begin, oldest), log.past(begin)))
            else:
                # These have run out of the ring by now.
                pasts.append(log.past(oldest, [row_of_entry(entry) for entry in own]))
        return MergedPast(self._first, pasts)

    def show(self, past: MergedPast) -> None:
        """Holds what a way back came to, and a row that tells what lies between there and the newest rows."""
        rows = list(past.window)
        between = self._first - past.first - len(rows)
        self._is_held = True
        if between <= 0:
            self._kept, self._ways = [], {False: past}
            self._entries.extendleft(reversed(rows[: self._first - past.first]))
            self._first = past.first
        else:
            self._way(False)
            text = f"{between:,} lines between are not held here: G, then n or scrolling up, comes to them"
            tells = LogEntry(past.first + len(rows), rows[-1].at_ns, text, "mark", skipped=between)
            self._kept, self._kept_first = [*rows, tells], past.first
            self._ways[True] = past
        self._changes += 1

    async def load_older(self, count: int = 1000) -> int:
        """Brings older lines of every service. Raises EngineError."""
        self._is_held = True
        way = self._way(bool(self._kept))
        page = await way.page(count)
        if self._ways.get(bool(self._kept)) is not way:
            return 0
        if self._kept:
            self._kept[:0] = page
            self._kept_first = way.first
            # The end goes, not what was just asked for.
            if len(self._kept) > HELD_ROWS:
                self.show(way)
        else:
            self._entries.extendleft(reversed(page))
            self._first -= len(page)
            if len(self._entries) > HELD_ROWS:
                # The rows in the middle go: neither the newest ones nor those just asked for.
                self._again()
                self.show(way)
        self._changes += 1
        return len(page)

    async def load(self, gap: int, count: int = 1000) -> int:
        """There are no gaps that load."""
        return 0

    def _again(self) -> None:
        """Begins with the rings' newest rows, where all of them have some: before that lies the way back."""
        end = self.total
        self._entries.clear()
        self._kept, self._ways, self._waiting = [], {}, []
        begins = [pane.log.parts[-1].start for pane in self.panes]
        held = [pane.log.raw(begin, pane.log.total) for pane, begin in zip(self.panes, begins, strict=True)]
        most = max(1, FIRST_ROWS // len(held))
        firsts = [
            rows[-most:][0][0]
            for pane, rows in zip(self.panes, held, strict=True)
            if rows and (len(rows) > most or _goes_back(pane))
        ]
        horizon = max(firsts, default=0)
        self._read = [
            begin + bisect_left(rows, horizon, key=itemgetter(0)) for rows, begin in zip(held, begins, strict=True)
        ]
        self._begun = self._read == begins
        self._pull(settle=True)
        # Rows that were there keep their numbers.
        self._first = end - len(self._entries) if end else 0
        self._changes += 1_000_000


def _goes_back(pane: Pane) -> bool:
    """Whether lines lie before its ring: not where fewer came than were asked for."""
    log = pane.log
    return log.older != 0 and (log.older is not None or log.total >= TAIL)


def _time(entry: LogEntry) -> int:
    return entry.at_ns
