"""Several logs as one, by time."""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import replace

from tui.watch.live import LogEntry, Pane

# Rows held, how many more for somebody who reads above the end, and how long (ns) a line may come later than a
# younger one of another service and still stand before it.
MERGED_ROWS = 20_000
HELD_ROWS = 40_000
LATE_NS = 300_000_000

_Held = tuple[int, LogEntry]


class MergedLog:
    """A log source over several panes' rings. `owner(number)` says whose line it is."""

    def __init__(self, panes: Sequence[Pane]) -> None:
        self.panes = list(panes)
        self.first = 0
        self._changes = 0
        self._is_held = False
        self._entries: deque[_Held] = deque()
        self._waiting: list[_Held] = []
        self._read = [pane.log.first for pane in self.panes]
        self.pull(settle=True)

    @property
    def total(self) -> int:
        """One more than the last row's number."""
        return self.first + len(self._entries)

    @property
    def version(self) -> int:
        """Changes with every change."""
        return self.total + self._changes

    @property
    def older(self) -> int | None:
        """Lines before the first ones of all; None: some."""
        known = [pane.log.older for pane in self.panes]
        return None if None in known else sum(count or 0 for count in known)

    @property
    def parts(self) -> tuple[range, ...]:
        """One range: what a ring let go before it was read is told by a mark."""
        return (range(self.first, self.total),)

    def owner(self, number: int) -> int:
        """The place (in `panes`) of the service that wrote a row."""
        return self._entries[number - self.first][0]

    def row(self, number: int) -> LogEntry | None:
        """One row, if it is held."""
        at = number - self.first
        return replace(self._entries[at][1], number=number) if 0 <= at < len(self._entries) else None

    def rows(self, start: int, end: int) -> list[LogEntry]:
        """The rows held of `start <= number < end`."""
        numbers = range(max(start, self.first), min(end, self.total))
        return [row for number in numbers if (row := self.row(number)) is not None]

    def texts(self) -> Iterator[tuple[int, str]]:
        """Number and text of every row held."""
        for number, (_, entry) in enumerate(self._entries, self.first):
            yield number, entry.text

    def hold(self) -> None:
        """Keeps what is held now, until `drop_older`."""
        self._is_held = True

    def drop_older(self) -> None:
        """Goes back to what the rings hold."""
        for pane in self.panes:
            pane.log.drop_older()
        if self._is_held:
            self._is_held = False
            self._again()

    def pull(self, *, settle: bool = False) -> None:
        """Takes in what the rings have got. A line waits one call for earlier ones of other services."""
        if self._is_held and len(self._entries) >= HELD_ROWS:
            return
        new = list(self._waiting)
        for place, pane in enumerate(self.panes):
            log = pane.log
            lost = log.first - self._read[place]
            if log.total > self._read[place]:
                entries = log.rows(max(self._read[place], log.first), log.total)
                if lost > 0 and entries:
                    new.append((place, LogEntry(0, entries[0].at_ns, f"{lost} lines: see its own log", "mark")))
                new += [(place, entry) for entry in entries]
                self._read[place] = log.total
        if not new:
            return
        grown = len(new) > len(self._waiting)
        new.sort(key=lambda item: item[1].at_ns)
        ready = len(new)
        if grown and not settle:
            ready = bisect_right(new, new[-1][1].at_ns - LATE_NS, key=lambda item: item[1].at_ns)
        self._entries.extend(new[:ready])
        self._waiting = new[ready:]
        while len(self._entries) > MERGED_ROWS and not self._is_held:
            self._entries.popleft()
            self.first += 1

    async def load_older(self, count: int = 1000) -> int:
        """Brings older lines of every service. Raises EngineError."""
        self._is_held = True
        each = max(100, count // max(1, len(self.panes)))
        came = 0
        for pane in self.panes:
            if pane.log.older != 0:
                came += await pane.log.load_older(each)
        before, end = len(self._entries), self.total
        self._again()
        # Rows keep their numbers: the older ones are numbered down from the first.
        self.first = end - len(self._entries) if len(self._entries) > before else self.first
        return came

    async def load(self, gap: int) -> int:
        """Fills a service's gap. Raises EngineError."""
        place, entry = self._entries[gap - self.first]
        came = await self.panes[place].log.load(entry.number)
        self._again()
        return came

    def _again(self) -> None:
        self._entries.clear()
        self._waiting = []
        self.first = 0
        self._changes += 1_000_000
        self._read = [pane.log.first for pane in self.panes]
        self.pull(settle=True)
