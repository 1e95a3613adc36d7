"""The drawing of a log: visible rows only, each rendered once and kept, with marks, matches and selection."""

from __future__ import annotations

from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual.cache import LRUCache
from textual.geometry import Offset
from textual.scroll_view import ScrollView
from textual.selection import Selection
from textual.strip import Strip
from textual.widget import Widget

from tui.deck import words
from tui.deck.logmodel import MATCHES, PARTS, TAB, LogModel, LogSource
from tui.deck.pattern import Pattern
from tui.deck.theme import Palette, palette
from tui.text import bare, clean
from tui.watch.live import LogEntry

# Of one line, so that a file without line ends cannot stop the screen.
LONGEST = 16_000
# Cells before each line, of its mark and its level.
GUTTER = 2
_LETTERS = {"error": "E", "warn": "W"}


class LogLines(ScrollView, can_focus=True):
    """Draws the rows of a log model."""

    def __init__(self, source: LogSource) -> None:
        super().__init__()
        self.model = LogModel(source)
        self.wrap = False
        self.timestamps = False
        self.loading_older = False
        self.pattern: Pattern | None = None
        self.marks: set[int] = set()
        self.cursor: int | None = None
        """Number of the row that keys work on; None while following."""
        self._cache: LRUCache[int, Strip] = LRUCache(1024)
        self._wide = 0

    @property
    def palette(self) -> Palette:
        """The styles of the theme in use."""
        return palette(self.app.theme)

    @property
    def top_rows(self) -> int:
        """1 where a row above the log says that there are older lines."""
        return 0 if self.model.older == 0 else 1

    def _text_width(self) -> int:
        return max(10, self.size.width - self._prefix_width() - 1)

    def _prefix_width(self) -> int:
        return GUTTER + (13 if self.timestamps else 0)

    # selecting

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """The selected text without mark and level, only of the rows that it touches."""
        index = self.model.index
        first = (selection.start.y if selection.start else 0) - self.top_rows
        last = (selection.end.y if selection.end else len(index) + self.top_rows - 1) - self.top_rows
        texts: list[str] = []
        for place in range(max(0, first), min(len(index), last + 1)):
            number, part = divmod(index[place], PARTS)
            entry, span = self.model.entry(number), selection.get_span(place + self.top_rows)
            if entry is None or span is None:
                continue
            start, end = span
            before = self._prefix_width() if part else GUTTER
            text = self._line(entry, part).text[max(start, before) : None if end == -1 else end]
            if part and texts:
                # The line goes on that was wrapped here.
                texts[-1] += text
            else:
                texts.append(text)
        return ("\n".join(texts), "\n") if texts else None

    @property
    def select_container(self) -> Widget:
        """However often is clicked, never more than this is selected."""
        return self

    def text_select_all(self) -> None:
        """A double click takes the line that was clicked, not the whole log."""
        index, number = self.model.index, self.cursor
        if number is None:
            return
        first = last = self.model.place_of(number)
        while last + 1 < len(index) and index[last + 1] // PARTS == number:
            last += 1
        ends = Offset(0, first + self.top_rows), Offset(LONGEST, last + self.top_rows)
        self.screen.selections = {self: Selection(*ends)}

    def selection_updated(self, selection: Selection | None) -> None:
        """The selection is drawn by us."""
        self.refresh()

    # drawing

    def render_line(self, y: int) -> Strip:
        """A visible row."""
        style, width = self.palette, self.scrollable_content_region.width
        scroll = self.scroll_offset
        place = scroll.y + y - self.top_rows
        if place < 0:
            return self._older_row(width)
        index = self.model.index
        if place >= len(index):
            return Strip.blank(width, style.text)
        number, part = divmod(index[place], PARTS)
        entry = self.model.entry(number)
        if entry is None:
            return Strip.blank(width, style.text)
        strip = self._line(entry, part) if entry.kind == "line" else self._draw(entry, part)
        at = scroll.x if not self.wrap else 0
        shown = strip.crop(at, at + width) if at or strip.cell_length > width else strip
        shown = shown.extend_cell_length(width, style.text)
        if number == self.cursor:
            shown = Strip([Segment(s.text, (s.style or style.text) + style.cursor) for s in shown], width)
        selection = self.text_selection
        if selection is not None and (span := selection.get_span(scroll.y + y)) is not None:
            start, end = span
            end = width if end == -1 else max(0, end - at)
            start = max(0, start - at)
            left, middle, right = (
                shown.divide([start, end, width])
                if start < end < width
                else (
                    *shown.divide([start, width]),
                    Strip([]),
                )
            )
            selected = Strip([Segment(s.text, (s.style or style.text) + Style(reverse=True)) for s in middle])
            shown = Strip.join([left, selected, right])
        return shown.apply_offsets(at, scroll.y + y)

    def _older_row(self, width: int) -> Strip:
        style, model = self.palette, self.model
        number = "older lines" if model.older is None else words.count(model.older, "older line")
        if self.loading_older:
            text = f"looking at {number} ..." if model.narrowed else f"loading {number} ..."
        elif model.full:
            text = f"▲ no more than {MATCHES:,} matches are held: narrow the filter"
        elif model.narrowed:
            far = f"{words.count(model.looked, 'older line')} looked at; " if model.looked else ""
            text = f"▲ {far}Enter at the top or g looks on"
        else:
            text = f"▲ {number}: scroll up or g loads them"
        return Strip([Segment(text, style.accent)]).adjust_cell_length(width, style.text)

    def _line(self, entry: LogEntry, part: int) -> Strip:
        key = entry.number * PARTS + part
        strip = self._cache.get(key)
        if strip is None:
            strip = self._cache[key] = self._draw(entry, part)
            if strip.cell_length > self._wide:
                self._wide = strip.cell_length
        return strip

    def _draw(self, entry: LogEntry, part: int) -> Strip:
        style = self.palette
        if entry.kind == "gap":
            return Strip(
                [Segment(f"  ⋯ {words.count(entry.skipped or 0, 'line')} skipped: Enter loads them", style.accent)]
            )
        if entry.kind == "mark":
            return Strip(
                [Segment(f"  ── {words.clock(entry.at_ns, millis=False)} {bare(entry.text)} ──", style.accent)]
            )
        prefix = self._prefix(entry, part)
        base = {"error": style.bad, "warn": style.warn, "debug": style.dim}.get(entry.level or "", style.text)
        raw = entry.text[:LONGEST]
        text = clean(raw).expandtabs(TAB)
        content = Text.from_ansi(text, style=base) if "\x1b" in text else Text(text, base)
        content.no_wrap, content.end = True, ""
        if self.pattern is not None:
            for start, end in self.pattern.places(content.plain):
                content.stylize(style.found, start, end)
        segments = [
            Segment(segment.text, style.text + (segment.style or Style.null()))
            for segment in content.render(self.app.console)
            if segment.text
        ]
        line = Strip(segments)
        if self.wrap:
            line = line.crop(part * self.model.width, (part + 1) * self.model.width)
        elif folded := self._folded(entry.number):
            line = Strip.join([line, Strip([Segment(f"  {folded}", style.accent)])])
        return Strip.join([prefix, line])

    def _folded(self, number: int) -> str:
        hidden = self.model.folds.get(number)
        if not hidden or not self.model.fold:
            return ""
        return "▾" if number in self.model.opened else f"▸ {words.count(hidden, 'line')} of trace"

    def _prefix(self, entry: LogEntry, part: int) -> Strip:
        style = self.palette
        letter = _LETTERS.get(entry.level or "", " ") if part == 0 and not entry.continues else " "
        mark = "■" if entry.number in self.marks else " "
        segments = [Segment(mark, style.accent), Segment(letter, style.bad if letter == "E" else style.warn)]
        if self.timestamps:
            time = words.clock(entry.at_ns) if part == 0 else ""
            segments.append(Segment(f"{time:12} ", style.dim))
        return Strip(segments)
