"""A log on the screen: only what is visible is rendered, however much is held."""

from __future__ import annotations

from textual import events
from textual.geometry import Size
from textual.message import Message

from tui.deck.logmodel import LEVELS, PARTS, LogModel, LogSource
from tui.deck.pattern import Pattern
from tui.deck.widgets.loglines import LogLines
from tui.text import bare
from tui.watch.live import LogEntry


class LogView(LogLines):
    """Rows of a log model with cursor, marks and search. It follows the end until somebody scrolls up."""

    DEFAULT_CSS = "LogView { overflow-x: hidden; overflow-y: scroll; scrollbar-size-vertical: 1; }"

    class WantsOlder(Message):
        """The top was reached and there are older lines."""

    class WantsMatch(Message):
        """The next match up (`step` -1) or down lies in lines that are not held: before row `at`, or in gap `at`."""

        def __init__(self, step: int, at: int | None) -> None:
            super().__init__()
            self.step = step
            self.at = at

    class WantsRow(Message):
        """The row of the cursor is no longer held."""

        def __init__(self, number: int) -> None:
            super().__init__()
            self.number = number

    class WantsGap(Message):
        """A row of skipped lines is to be loaded."""

        def __init__(self, number: int) -> None:
            super().__init__()
            self.number = number

    class Changed(Message):
        """Following, filter, cursor or the number of rows changed."""

    def __init__(self, source: LogSource) -> None:
        super().__init__(source)
        self.follow = True
        self.paused_at = 0
        self.looking = ""
        """What is done with lines that are not held, while it is."""
        self._seen: tuple[int, int, int, int | None] | None = None

    # what is new

    def show(self, source: LogSource) -> None:
        """Another log in the same view, with the same settings."""
        model = LogModel(source)
        model.pattern, model.level, model.fold, model.width = (
            self.model.pattern,
            self.model.level,
            self.model.fold,
            self.model.width,
        )
        self.model = model
        self.marks, self.cursor, self.follow, self._seen = set(), None, True, None
        self._changed_all()

    def tick(self) -> None:
        """Takes new rows in and repaints, if there are any."""
        source = self.model.source
        if self.looking and not self.follow and not self.model.narrowed:
            # The rows on the screen stay as they are until it is known where to go.
            return
        seen = (source.first, source.total, source.version, self.model.older)
        if seen == self._seen or not self.size.height:
            return
        self._seen = seen
        anchor = self._anchor()
        renewed, gone = self.model.update()
        if renewed:
            self._cache.clear()
        self._resize_virtual()
        if self.follow:
            self._to_end()
        elif renewed and anchor is not None:
            place = self.model.place_of(anchor[0]) + self.top_rows
            self.scroll_to(y=place - anchor[1], animate=False, immediate=True)
        elif gone:
            self.scroll_to(y=max(0, self.scroll_offset.y - gone), animate=False, immediate=True)
        self.refresh()
        self.post_message(self.Changed())

    def take_older(self, entries: list[LogEntry]) -> None:
        """Takes a page of older lines into a narrowed view; what is on the screen stays where it is."""
        anchor = self._anchor()
        self.model.take_older(entries)
        self._resize_virtual()
        if self.follow:
            self._to_end()
        elif anchor is not None:
            place = self.model.place_of(anchor[0]) + self.top_rows
            self.scroll_to(y=max(0, place - anchor[1]), animate=False, immediate=True)
        self.refresh()

    def _anchor(self) -> tuple[int, int] | None:
        """The number of the first line on the screen, and on which row it is."""
        index, top = self.model.index, self.scroll_offset.y - self.top_rows
        for row in range(max(0, -top), self.size.height):
            if 0 <= top + row < len(index):
                return index[top + row] // PARTS, row
        return None

    def _resize_virtual(self) -> None:
        width = self.scrollable_content_region.width if self.wrap else max(self._wide, self.size.width)
        self.virtual_size = Size(width, len(self.model.index) + self.top_rows)

    def _to_end(self) -> None:
        self.scroll_to(y=self.max_scroll_y, animate=False, immediate=True)

    def _changed_all(self) -> None:
        self._cache.clear()
        self.model.rebuild()
        if self.is_attached and self.size.height:
            self._resize_virtual()
            if self.follow:
                self._to_end()
            self.refresh()
            self.post_message(self.Changed())

    def notify_style_update(self) -> None:
        """Another theme is another picture."""
        super().notify_style_update()
        self._cache.clear()

    def on_resize(self, event: events.Resize) -> None:
        """Wrapped rows depend on the width."""
        if self.wrap:
            self.model.width = self._text_width()
            self.model.rebuild()
            self._cache.clear()
        self._resize_virtual()
        if self.follow:
            self._to_end()

    # what keys do

    def set_follow(self, follow: bool) -> None:
        """Follows the end, or stops here with the cursor on the last row shown."""
        self.follow = follow
        if follow:
            self.cursor = None
            self.model.release()
            self._seen = None
            self.tick()
            self._to_end()
        elif self.cursor is None and self.model.index:
            bottom = min(len(self.model.index) - 1, self.scroll_offset.y - self.top_rows + self.size.height - 1)
            self.cursor = self.model.index[max(0, bottom)] // PARTS
            self.model.hold()
            self.paused_at = self.model.source.total
        self.refresh()
        self.post_message(self.Changed())

    def move(self, rows: int) -> None:
        """Moves the cursor; up pauses, past the end follows again."""
        index = self.model.index
        if not index:
            if rows < 0 and self.top_rows:
                self._ask_older()
            return
        if self.follow:
            if rows > 0:
                return
            self.set_follow(False)
        place = self.model.place_of(self.cursor) if self.cursor is not None else len(index) - 1
        wanted = place + rows
        if wanted >= len(index) and rows > 0:
            self.set_follow(True)
            return
        if wanted < 0 and self.top_rows:
            self._ask_older()
        self.go(max(0, wanted))

    def go(self, place: int) -> None:
        """Puts the cursor on a row of the index and makes it visible."""
        index = self.model.index
        if not index:
            return
        place = min(place, len(index) - 1)
        if self.cursor is None:
            self.paused_at = self.model.source.total
            self.model.hold()
        self.follow = False
        self.cursor = index[place] // PARTS
        y, height = place + self.top_rows, self.size.height
        top = self.scroll_offset.y
        if y < top + self.top_rows:
            self.scroll_to(y=0 if place == 0 else y, animate=False, immediate=True)
        elif y >= top + height:
            self.scroll_to(y=y - height + 1, animate=False, immediate=True)
        self.refresh()
        self.post_message(self.Changed())

    def sideways(self, cells: int) -> None:
        """Scrolls left or right."""
        self.scroll_to(x=max(0, self.scroll_offset.x + cells), animate=False, immediate=True)

    def to_top(self) -> None:
        """To the first row; there already, asks for older lines."""
        if self.scroll_offset.y == 0 and self.top_rows and not self.follow:
            self._ask_older()
        self.go(0)

    def open_row(self) -> bool:
        """Opens what the cursor is on: a folded trace, skipped lines, the row of older ones. Whether it was any."""
        number = self.cursor
        if number is None:
            number = next((code // PARTS for code in reversed(self._visible()) if self._opens(code // PARTS)), None)
        if self.top_rows and (not self.model.index or number == self.model.number_at(0)) and not self._opens_at(number):
            self._ask_older()
            return True
        if number is None:
            return False
        entry = self.model.entry(number)
        if entry is not None and entry.kind == "gap":
            self.post_message(self.WantsGap(number))
            return True
        anchor = self._anchor()
        if self.model.toggle(number):
            self._cache.clear()
            self._resize_virtual()
            self.follow = False
            self.cursor = number
            if anchor is not None:
                self.scroll_to(y=self.model.place_of(anchor[0]) + self.top_rows - anchor[1], animate=False)
            self.go(self.model.place_of(number))
            return True
        return False

    def _opens_at(self, number: int | None) -> bool:
        return number is not None and self._opens(number)

    def _opens(self, number: int) -> bool:
        entry = self.model.entry(number)
        return bool(self.model.folds.get(number)) or (entry is not None and entry.kind == "gap")

    def _visible(self) -> list[int]:
        top = max(0, self.scroll_offset.y - self.top_rows)
        return self.model.index[top : top + self.size.height]

    def find(self, pattern: Pattern | None, step: int = -1) -> None:
        """Searches from the cursor up (or down) and goes there; among lines that are not held it asks for it."""
        if pattern is not self.pattern:
            self._cache.clear()
        self.pattern = pattern
        self.refresh()
        self.post_message(self.Changed())
        if pattern is None:
            return
        model = self.model
        at = model.place_of(self.cursor) if self.cursor is not None else len(model.index)
        place = model.find(pattern, at + step, step)
        number = None if place is None else model.number_at(place)
        if place is None or number == model.gap:
            self.post_message(self.WantsMatch(step, number))
        else:
            self.go(place)

    def set_filter(self, pattern: Pattern | None) -> None:
        """Shows only lines that the pattern wants."""
        self.model.pattern = pattern
        self._refilter()

    def next_level(self) -> None:
        """All, warnings and worse, errors, all."""
        self.model.level = LEVELS[(LEVELS.index(self.model.level) + 1) % len(LEVELS)]
        self._refilter()

    def toggle_fold(self) -> None:
        """Folds every trace, or none."""
        self.model.fold = not self.model.fold
        self.model.opened.clear()
        self._refilter()

    def _refilter(self) -> None:
        self._changed_all()
        if not self.follow and self.cursor is not None:
            if not self.model.narrowed and self.cursor < self.model.source.first:
                self.post_message(self.WantsRow(self.cursor))
            self.go(self.model.place_of(self.cursor))
        if self.model.narrowed and len(self.model.index) < self.size.height and self.top_rows:
            self._ask_older()

    def toggle_wrap(self) -> None:
        """Wraps long lines, or scrolls them."""
        self.wrap = not self.wrap
        self.model.width = self._text_width() if self.wrap else 0
        self.scroll_to(x=0, animate=False, immediate=True)
        self._refilter()

    def toggle_timestamps(self) -> None:
        """Shows when each line was written."""
        self.timestamps = not self.timestamps
        self.model.width = self._text_width() if self.wrap else 0
        self._refilter()

    def mark(self) -> None:
        """Marks the cursor's line, or takes its mark away."""
        if self.follow:
            self.set_follow(False)
        if self.cursor is not None:
            self.marks ^= {self.cursor}
            self._cache.discard(self.cursor)
            self.move(1) if self.model.place_of(self.cursor) < len(self.model.index) - 1 else self.refresh()

    def to_mark(self, step: int) -> bool:
        """Goes to the next (or previous) mark; whether there is one."""
        at = self.cursor if self.cursor is not None else self.model.source.total
        wanted = sorted(mark for mark in self.marks if (mark > at if step > 0 else mark < at))
        if wanted:
            self.go(self.model.place_of(wanted[0] if step > 0 else wanted[-1]))
        return bool(wanted)

    def cursor_text(self) -> str:
        """The line under the cursor (the newest one while following), without colours."""
        number = self.cursor if self.cursor is not None else self.model.source.total - 1
        entry = self.model.entry(number)
        return bare(entry.text) if entry else ""

    # scrolling

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Scrolling up pauses; scrolling to the end follows again; the top asks for older lines."""
        super().watch_scroll_y(old_value, new_value)
        if round(old_value) == round(new_value):
            return
        if new_value < old_value and self.follow and not self.is_vertical_scroll_end:
            self.set_follow(False)
        elif not self.follow and new_value > old_value and self.is_vertical_scroll_end and self._at_end():
            self.set_follow(True)
        if round(new_value) == 0 and not self.follow and self.top_rows:
            self._ask_older()

    def _at_end(self) -> bool:
        """Whether the cursor has no row below it: a search hit on the last page does not follow."""
        return self.cursor is None or self.model.place_of(self.cursor) >= len(self.model.index) - 1

    def _ask_older(self) -> None:
        if not self.loading_older:
            self.loading_older = True
            self.post_message(self.WantsOlder())
            self.refresh()

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Down to the end with the wheel follows again, wherever the cursor was."""
        if not self.follow and self.scroll_offset.y >= self.max_scroll_y - 3:
            self.set_follow(True)

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Selecting needs lines that stand still; a click puts the cursor."""
        self.set_follow(False)
        place = event.y + self.scroll_offset.y - self.top_rows
        if place < 0:
            self._ask_older()
        elif place < len(self.model.index):
            self.cursor = self.model.index[place] // PARTS
            self.refresh()

    def on_click(self, event: events.Click) -> None:
        """A second click opens."""
        if event.chain == 2:
            self.open_row()
