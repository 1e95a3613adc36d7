"""Goes on into the engine's older lines for a search or a filter, page by page, beside the screen."""

from __future__ import annotations

from collections.abc import Callable

from tui.deck.logmodel import PAGE, LogModel
from tui.deck.pattern import Pattern
from tui.text import bare
from tui.watch.live import LogEntry

# How many older lines a filter looks at before it asks whether to go on.
FILTER_LINES = 100_000


class LookBack:
    """One search, or one look of a filter. `told(looked)` hears after every page how many lines back it is;
    `take(entries)` takes a page into the view. Every method may raise EngineError and may be cancelled at any time."""

    def __init__(self, model: LogModel, told: Callable[[int], None], take: Callable[[list[LogEntry]], None]) -> None:
        self._model = model
        self._told = told
        self._take = take

    async def narrow(self, rows: int, lines: int = FILTER_LINES) -> None:
        """Looks at older lines until so many rows more are shown, or so many lines were looked at."""
        model = self._model
        past = model.past()
        wanted, limit = len(model.index) + rows, model.looked + lines
        while past is not None and not (past.ended or model.full):
            if len(model.index) >= wanted or model.looked >= limit:
                return
            self._take(await past.page(PAGE))
            self._told(model.looked)

    async def up(self, pattern: Pattern, before: int | None) -> int | None:
        """The number of the newest match before what is held, or before the row that follows a gap."""
        if self._model.narrowed:
            return await self._up_narrowed(pattern)
        source = self._model.source
        past = source.past(before)
        looked = 0
        while past is not None and not (past.ended or pattern.failed):
            page = await past.page(PAGE)
            looked += len(page)
            for entry in reversed(page):
                if entry.kind == "line" and pattern.search(bare(entry.text)):
                    source.show(past)
                    return entry.number
            self._told(looked)
        return None

    async def _up_narrowed(self, pattern: Pattern) -> int | None:
        model = self._model
        past = model.past()
        while past is not None and not (past.ended or model.full):
            size = len(model.index)
            self._take(await past.page(PAGE))
            place = model.find(pattern, len(model.index) - size - 1, -1)
            if place is not None:
                return model.number_at(place)
            self._told(model.looked)
        return None

    async def down(self, pattern: Pattern) -> int | None:
        """The number of the oldest match among skipped lines, which are loaded up to there; None if none is."""
        source = self._model.source
        looked = 0
        while (gap := self._model.gap) is not None:
            came = await source.load(gap, PAGE)
            if not came:
                return None
            looked += came
            for entry in source.rows(gap, source.parts[0].stop):
                if entry.kind == "line" and pattern.search(bare(entry.text)):
                    return entry.number
            self._told(looked)
        return None

    async def to(self, number: int) -> None:
        """Brings a row back that is older than what is held."""
        source = self._model.source
        past = source.past()
        looked = 0
        while past is not None and not past.ended:
            page = await past.page(PAGE)
            looked += len(page)
            if page and page[0].number <= number:
                source.show(past)
                return
            self._told(looked)
