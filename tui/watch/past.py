"""The way back through a log that the engine has, page by page, without holding what was passed."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from contextlib import aclosing
from copy import copy
from sys import getsizeof

from tui.engine.interface import Engine
from tui.watch.entries import ROW_BYTES, LogEntry, entries_of, row_of
from tui.watch.seam import OlderSeam, Row

# What is held of the pages passed, so that a reader can be shown where the way ended.
WINDOW_LINES = 10_000
WINDOW_BYTES = 8 * 1024 * 1024
# Lines that may come while a page is read.
_SPARE = 500


class Past:
    """Begins before the row `first`; `held` are the rows from it on. Each `page` lies before the one before it."""

    def __init__(
        self,
        engine: Engine,
        replica_id: str,
        first: int,
        held: Iterable[Row],
        *,
        lines_from: Callable[[int], int],
        marks: Mapping[int, Row],
        start: int,
    ) -> None:
        self._engine = engine
        self._replica_id = replica_id
        self._held = OlderSeam(held).held
        self._lines_from = lines_from
        self._marks = marks
        self._start = start
        self.first = first
        self.ended = False
        """Whether the beginning of the engine's log was reached."""
        self.window: deque[Row] = deque()
        """The last rows that were read, as many as a reader may hold; `first` is the number of the first one."""
        self._window_bytes = 0

    def fork(self) -> Past:
        """Another way back from the same place."""
        other = copy(self)
        other.window = self.window.copy()
        return other

    async def page(self, count: int) -> list[LogEntry]:
        """The `count` lines before `first` with the marks between them, in order. Fewer: these were all.
        Raises EngineError."""
        if self.ended:
            return []
        seam = OlderSeam(self._held)
        found = (await self._read(seam, count))[-count:]
        self.ended = len(found) < count
        rows: list[Row] = []
        number = self.first
        for row in reversed(found):
            number = self._take_marks(number, rows)
            rows.append(row)
            number -= 1
        if self.ended:
            number = self._take_marks(number, rows)
        rows.reverse()
        self.first = number
        self._held = OlderSeam([*rows, *seam.held]).held
        self._keep(rows)
        return await entries_of(number, rows)

    async def _read(self, seam: OlderSeam, count: int) -> list[Row]:
        """At least `count` lines before the seam if there are so many."""
        known, more, came_before = self._lines_from(self.first), count + _SPARE, -1
        while True:
            # The engine's last lines up to the seam: it finds them from the end, without reading all.
            read: deque[Row] = deque(maxlen=count + seam.overlap)
            came = 0
            logs = self._engine.logs(self._replica_id, until_ns=seam.until_ns, tail=known + more)
            async with aclosing(logs) as lines:
                async for line in lines:
                    read.append(row_of(line))
                    came += 1
            found = seam.older(read)
            # Fewer: lines came meanwhile, or these are all there are. Looking further back tells.
            if len(found) >= count or came == came_before:
                return found
            came_before, more = came, 2 * more

    def _take_marks(self, number: int, rows: list[Row]) -> int:
        while number > self._start and (mark := self._marks.get(number - 1)):
            rows.append(mark)
            number -= 1
        return number

    def _keep(self, rows: list[Row]) -> None:
        self.window.extendleft(reversed(rows))
        self._window_bytes += sum(getsizeof(row[1]) + ROW_BYTES for row in rows)
        while len(self.window) > WINDOW_LINES or self._window_bytes > WINDOW_BYTES:
            self._window_bytes -= getsizeof(self.window.pop()[1]) + ROW_BYTES
