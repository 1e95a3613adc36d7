"""Where two readings of one log meet: no line lost, none doubled, whatever their time stamps.

Both outputs of a replica are stamped by themselves, so stamps may stand out of order by some microseconds, and many
lines may have the same one. So readings overlap by a little, and the lines in the overlap are told by what they are.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable

Row = tuple[int, str, int]
"""A row as it is held: nanoseconds, text, and OUT, ERR or MARK."""
OUT, ERR, MARK = 0, 1, 2
# How far stamps may stand out of order.
SLACK_NS = 5_000_000


class Seam:
    """Goes on after rows that are held. `newest_first` are these, from the last one on; read only as far as needed."""

    def __init__(self, newest_first: Iterable[Row]) -> None:
        self._held: Counter[Row] = Counter()
        self._newest = 0
        self.torn = False
        """Whether the new reading does not hold all that was held: lines may be missing between the two."""
        for row in newest_first:
            if row[2] == MARK:
                continue
            if row[0] < self._newest - 2 * SLACK_NS:
                break
            self._newest = max(self._newest, row[0])
            self._held[row] += 1
        self.since_ns = self._newest - SLACK_NS if self._held else None
        for row in [row for row in self._held if self.since_ns is not None and row[0] < self.since_ns]:
            del self._held[row]

    @property
    def closed(self) -> bool:
        """Whether everything from here on is new."""
        return not self._held

    def overlap(self) -> int:
        """How many held lines the new reading begins with."""
        return self._held.total()

    def is_new(self, row: Row) -> bool:
        """Whether this row of the new reading comes after those that are held."""
        if not self._held:
            return True
        if self._held.get(row):
            self._held[row] -= 1
            if not self._held[row]:
                del self._held[row]
            return False
        if row[0] > self._newest:
            # The engine has no longer what was held.
            self._held.clear()
            self.torn = True
            return True
        # From before the first line that is held.
        return False


class Bookmark:
    """Where somebody is in one log who reads it in several streams, over restarts and outages."""

    def __init__(self) -> None:
        # What the next seam needs.
        self._rows: deque[Row] = deque()
        self._seam = Seam(())

    def again(self) -> int | None:
        """From when on a new stream must be read; the lines in it that were read are told by `is_new`."""
        self._seam = Seam(reversed(self._rows))
        return self._seam.since_ns

    def is_new(self, row: Row) -> bool:
        """Whether this row was not read before; from now on it was."""
        if not self._seam.is_new(row):
            return False
        self._rows.append(row)
        while self._rows[0][0] < row[0] - 2 * SLACK_NS:
            self._rows.popleft()
        return True


class OlderSeam:
    """Ends before rows that are held. `oldest_first` are these, from the first one on."""

    def __init__(self, oldest_first: Iterable[Row]) -> None:
        held: list[Row] = []
        for row in oldest_first:
            if row[2] == MARK:
                continue
            if held and row[0] > held[0][0] + 2 * SLACK_NS:
                break
            held.append(row)
        self.until_ns = held[0][0] + SLACK_NS if held else None
        self.held = held
        """Of the rows given, those that the seam needs."""
        self._first = held[0] if held else None
        self._held = Counter(row for row in held if self.until_ns is not None and row[0] <= self.until_ns)
        self.overlap = self._held.total()

    def older(self, rows: Iterable[Row]) -> list[Row]:
        """Of a reading up to `until_ns`, what comes before the held rows; nothing if it does not reach them."""
        # From the end: of equal rows on both sides of the seam the last ones are those that are held.
        held = self._held.copy()
        kept: list[Row] = []
        for row in reversed(tuple(rows)):
            if held.get(row):
                held[row] -= 1
            else:
                kept.append(row)
        if self._first is not None and held[self._first] == self._held[self._first]:
            return []
        kept.reverse()
        return kept
