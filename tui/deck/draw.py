"""Drawing by cells: rows of styled text with a fixed width, gauges, history graphs."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

# A braille cell is two columns of four dots; these are the dots of a column filled from below.
_LEFT = (0, 0x40, 0x44, 0x46, 0x47)
_RIGHT = (0, 0x80, 0xA0, 0xB0, 0xB8)


class Row:
    """One row of the screen, filled from the left; what does not fit is cut."""

    __slots__ = ("_width", "segments", "used")

    def __init__(self, width: int) -> None:
        self.segments: list[Segment] = []
        self._width = width
        self.used = 0

    @property
    def left(self) -> int:
        """How many cells are free."""
        return self._width - self.used

    def add(self, text: str, style: Style, width: int | None = None, *, right: bool = False) -> Row:
        """Adds text; with a `width` cut or filled to it, with `right` aligned right in it."""
        length = len(text) if text.isascii() else cell_len(text)
        if width is not None and length != width:
            if length > width:
                text = fit(text, width)
            else:
                text = " " * (width - length) + text if right else text + " " * (width - length)
            length = width
        if length > self.left:
            text, length = fit(text, self.left), self.left
        if length > 0:
            self.segments.append(Segment(text, style))
            self.used += length
        return self

    def fill(self, style: Style, until: int = 0, char: str = " ") -> Row:
        """Fills up, but for the last `until` cells."""
        if self.left > until:
            free = self.left - until
            self.segments.append(Segment(char * free, style))
            self.used += free
        return self

    def join(self, other: Row) -> Row:
        """Adds what another row has."""
        for segment in other.segments:
            self.add(segment.text, segment.style or Style.null())
        return self

    def strip(self, ground: Style) -> Strip:
        """The row, filled to its width."""
        self.fill(ground)
        return Strip(self.segments, self._width)


def fit(text: str, width: int) -> str:
    """Text in exactly or less than `width` cells; a cut is shown by an ellipsis."""
    if width <= 0:
        return ""
    if (len(text) if text.isascii() else cell_len(text)) <= width:
        return text
    return set_cell_size(text, width - 1) + "…"


def gauge(fraction: float | None, width: int) -> tuple[str, str]:
    """The filled and the empty part of a gauge, together `width` cells; all empty where nothing is known."""
    filled = 0 if fraction is None else round(min(max(fraction, 0.0), 1.0) * width)
    if fraction and not filled:
        filled = 1
    return "━" * filled, ("·" if fraction is None else "─") * (width - filled)


def graph(values: Sequence[float | None], total: int, width: int, height: int, top: float) -> list[str]:
    """A history graph of braille dots, newest right: `height` texts of `width` cells, the highest first.

    Two values a cell. `total` counts the values ever seen: pairs stay together while the graph moves, so that it
    changes every second time only. `top` is the value of a full column. What is known has at least one dot.
    """
    room = 2 * width - total % 2
    shown = list(values[-room:]) if room else []
    if total % 2:
        shown.append(None)
    unknown: list[float | None] = [None]
    shown = unknown * (2 * width - len(shown)) + shown
    steps = 4 * height
    levels = [
        0 if value is None else max(1, min(steps, round(value / top * steps))) if top > 0 else 1 for value in shown
    ]
    rows = []
    for row in range(height - 1, -1, -1):
        base = 4 * row
        rows.append(
            "".join(
                chr(
                    0x2800
                    + _LEFT[min(4, max(0, levels[2 * cell] - base))]
                    + _RIGHT[min(4, max(0, levels[2 * cell + 1] - base))]
                )
                for cell in range(width)
            ).replace("\u2800", " ")
        )
    return rows


def changed(old: Strip | None, new: Strip, width: int) -> tuple[int, int] | None:
    """The cells from which to which two rows differ; None if they do not."""
    if old is None or old.cell_length != new.cell_length:
        return (0, width)
    before, after = list(old), list(new)
    if before == after:
        return None
    start = 0
    while before and after and before[0] == after[0]:
        start += before.pop(0).cell_length
        after.pop(0)
    end = width
    while before and after and before[-1] == after[-1]:
        end -= before.pop().cell_length
        after.pop()
    return (start, end) if end > start else None
