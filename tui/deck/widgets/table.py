"""All panes as a table: where there are more than fit as cards, or where somebody wants to compare."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from textual import events
from textual.message import Message
from textual.strip import Strip

from tui.deck import words
from tui.deck.draw import Row, gauge, graph
from tui.deck.facts import Facts, facts, top_of
from tui.deck.widgets.newest import line_text, newest
from tui.deck.widgets.rows import Rows
from tui.text import bare
from tui.watch.live import Pane

# Cells of a row's history where there is room for its newest line too.
GRAPH = 20


@dataclass(frozen=True, slots=True)
class Column:
    """A column: title, width in cells, what it is sorted by (None: the project's order), largest first or not."""

    title: str
    width: int
    by: Callable[[Facts], float | str] | None = None
    largest_first: bool = True


def _known(value: float | None) -> float:
    """What is unknown comes after a zero."""
    return -1.0 if value is None else value


COLUMNS = (
    Column("service", 20, lambda found: found.name, False),
    Column("state", 16, lambda found: found.style == "good", False),
    Column("up", 10),
    Column("restarts", 8, lambda found: found.restarts),
    Column("cpu", 7, lambda found: _known(found.cpu)),
    Column("memory", 9, lambda found: _known(found.memory)),
    Column("of limit", 9, lambda found: _known(found.memory_fraction)),
    Column("net in", 10, lambda found: _known(found.rates[0])),
    Column("net out", 10, lambda found: _known(found.rates[1])),
    Column("disk r", 10, lambda found: _known(found.rates[2])),
    Column("disk w", 10, lambda found: _known(found.rates[3])),
    Column("procs", 5, lambda found: _known(found.processes)),
)


class PaneTable(Rows, can_focus=True):
    """Sorted and filtered rows of all panes; scrolls so that the focused one is seen."""

    class Chosen(Message):
        """A row was clicked (`zoom`: twice)."""

        def __init__(self, key: str, zoom: bool) -> None:
            super().__init__()
            self.key = key
            self.zoom = zoom

    def __init__(self, now: Callable[[], datetime]) -> None:
        super().__init__()
        self._now = now
        self.panes: Sequence[Pane] = ()
        self.focused_key = ""
        self.marked: Collection[str] = ()
        self.sort = -1
        self.filter = ""
        self.keys: list[str] = []
        self.seen: list[str] = []
        self._top = 0
        self._seen: object = None

    def tick(self) -> None:
        """Draws what is new."""
        seen = (
            tuple((pane.key, pane.version, pane.samples.total, pane.log.total, pane.note) for pane in self.panes),
            *(self.focused_key, tuple(self.marked), self.sort, self.filter, self.has_focus, self.size),
        )
        if seen != self._seen:
            self._seen = seen
            self.sync()

    def sort_by(self, step: int) -> None:
        """Sorts by the next column, or the one before; before the first is the project's order."""
        sortable = [-1, *(index for index, column in enumerate(COLUMNS) if column.by is not None)]
        self.sort = sortable[(sortable.index(self.sort) + step) % len(sortable)]
        self.tick()

    def build(self, width: int, height: int) -> list[Strip]:
        """Titles and the rows that fit."""
        now = self._now()
        wanted = self.filter.lower()
        found = [pane for pane in self.panes if wanted in bare(f"{pane.name} {pane.word}").lower()]
        by = COLUMNS[self.sort].by if self.sort >= 0 else None
        if by is not None:
            key = by
            found.sort(key=lambda pane: key(facts(pane, now)), reverse=COLUMNS[self.sort].largest_first)
        self.keys = [pane.key for pane in found]
        here = self.keys.index(self.focused_key) if self.focused_key in self.keys else 0
        room = height - 1
        self._top = max(0, min(self._top, len(found) - room), here - room + 1)
        self._top = min(self._top, here)
        # Who sorts by a figure needs that of every row.
        self.seen = self.keys if self.sort >= 0 else self.keys[self._top : self._top + room]
        rows = [self._titles(width, len(found))]
        for pane in found[self._top : self._top + room]:
            focused, marked = pane.key == self.focused_key, pane.key in self.marked
            rows.append(self._row(pane, facts(pane, now), width, focused, marked))
        if height - len(rows) > 4 and self.focused_key in self.keys:
            rows += self._below(found[here], width, height - len(rows))
        return rows

    def _below(self, pane: Pane, width: int, height: int) -> list[Strip]:
        """The rows left over show the focused one's newest lines."""
        style = self.palette
        title = Row(width).add("── ", style.line).add(bare(pane.name), style.title).add(" ", style.line)
        title.fill(style.line, char="─")
        lines = [Row(width).add(" ", style.text).join(row) for row in newest(pane, style, width - 2, height - 2)]
        return [row.strip(style.text) for row in (Row(width), title, *lines)]

    def _titles(self, width: int, count: int) -> Strip:
        style = self.palette
        row = Row(width).add("   ", style.bar)
        for index, column in enumerate(COLUMNS):
            arrow = ("▾" if column.largest_first else "▴") if index == self.sort else ""
            chosen = style.bar_key if index == self.sort else style.bar_strong
            row.add(f"{column.title}{arrow}", chosen, column.width, right=index > 1)
            row.add(" ", style.bar)
        shown = f"/{self.filter}  {count} shown" if self.filter else ""
        return row.add(f" cpu history  {shown}", style.bar).strip(style.bar)

    def _row(self, pane: Pane, found: Facts, width: int, here: bool, marked: bool) -> Strip:
        style = self.palette
        row = Row(width).add("▌" if here else " ", style.accent).add("■ " if marked else "  ", style.accent)
        rates = [words.rate(value) for value in found.rates]
        on, off = gauge(found.memory_fraction, 8)
        cells = (
            (found.name, style.title if here else style.strong),
            (f"{found.sign} {found.word}", style.named(found.style)),
            (found.took or found.up.removeprefix("up "), style.dim),
            (str(found.restarts) if pane.replica else words.UNKNOWN, style.dim),
            (words.percent(found.cpu), style.strong),
            (words.size(found.memory), style.strong),
            ("", style.text),
            *((text, style.text) for text in rates),
            (words.UNKNOWN if found.processes is None else str(found.processes), style.text),
        )
        for index, (text, color) in enumerate(cells):
            if COLUMNS[index].title == "of limit":
                row.add(" ", style.text).add(on, style.second).add(off, style.line)
            else:
                row.add(text, color, COLUMNS[index].width, right=index > 1)
            row.add(" ", style.text)
        if row.left > 12:
            # The graph takes what is too little for a line of text.
            wide = GRAPH if row.left > GRAPH + 30 else row.left - 2
            values = pane.samples.cpu(2 * wide)
            row.add(" ", style.text)
            row.add(graph(values, pane.samples.total, wide, 1, top_of(values, 20.0))[0], style.first)
        if row.left > 4:
            log = pane.log
            last = log.row(log.total - 1) if log.total > log.first else None
            text = found.note if found.note and not pane.well else line_text(last) if last else ""
            if found.line and not found.note:
                row.add(f"  {found.line}", style.good)
            row.add(f"  {text}", style.dim)
        return row.strip(style.text)

    def on_click(self, event: events.Click) -> None:
        """A title sorts, a row is chosen."""
        if event.y == 0:
            at = 3
            for index, column in enumerate(COLUMNS):
                if at <= event.x < at + column.width and column.by is not None:
                    self.sort = index
                    self.tick()
                at += column.width + 1
            return
        place = self._top + event.y - 1
        if place < len(self.keys):
            self.post_message(self.Chosen(self.keys[place], event.chain > 1))
