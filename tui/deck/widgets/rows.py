"""The base of every drawn widget: it builds its rows, compares, and refreshes only the cells that changed."""

from __future__ import annotations

from textual import events
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from tui.deck.draw import changed
from tui.deck.theme import Palette, palette


class Rows(Widget):
    """A widget without children that draws `build()`. `sync()` draws what is new."""

    def __init__(self, *, classes: str | None = None) -> None:
        super().__init__(classes=classes)
        self._rows: list[Strip] = []

    @property
    def palette(self) -> Palette:
        """The styles of the theme in use."""
        return palette(self.app.theme)

    def build(self, width: int, height: int) -> list[Strip]:
        """Every row, each exactly `width` cells."""
        raise NotImplementedError

    def sync(self) -> None:
        """Builds the rows anew and marks the cells that changed."""
        width, height = self.size
        if not width or not height or not self.is_attached:
            return
        rows = self.build(width, height)[:height]
        blank = Strip.blank(width, self.palette.text)
        rows += [blank] * (height - len(rows))
        old, self._rows = self._rows, rows
        dirty = []
        for y, row in enumerate(rows):
            cells = changed(old[y] if y < len(old) else None, row, width)
            if cells is not None:
                dirty.append(Region(cells[0], y, cells[1] - cells[0], 1))
        if dirty:
            self.refresh(*dirty)

    def on_resize(self, event: events.Resize) -> None:
        """Another size is another picture."""
        self._rows = []
        self.sync()

    def notify_style_update(self) -> None:
        """Another theme is another picture."""
        super().notify_style_update()
        self._rows = []
        if self.is_mounted:
            self.sync()

    def render_line(self, y: int) -> Strip:
        """A row as it was built."""
        return self._rows[y] if y < len(self._rows) else Strip.blank(self.size.width, self.palette.text)
