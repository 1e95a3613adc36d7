"""The upper part of a zoomed service: every figure, and graphs as wide as the screen."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from textual.strip import Strip

from tui.deck import words
from tui.deck.draw import Row
from tui.deck.facts import facts
from tui.deck.widgets.pane import PaneView
from tui.watch.live import Pane


class Details(PaneView):
    """A card without log lines; its graphs take what room there is."""

    can_focus = False

    def __init__(self, pane: Pane, now: Callable[[], datetime]) -> None:
        super().__init__(pane, 0, now)

    def build(self, width: int, height: int) -> list[Strip]:
        """Titles in a line, gauges left, graphs right."""
        style = self.palette
        found = facts(self.pane, self._now(), self.step)
        first = Row(width).add(f" {found.sign} {found.word}", style.named(found.style))
        replica = self.pane.replica
        parts = [found.took, found.up if found.up != words.UNKNOWN else "", words.count(found.restarts, "restart")]
        if replica is not None:
            parts += [replica.image, replica.id[:12]]
            if replica.exit_code is not None and not self.pane.well:
                parts.append(f"exit code {replica.exit_code}" + (", out of memory" if replica.out_of_memory else ""))
        first.add("   " + "  ·  ".join(part for part in parts if part), style.dim)
        rows = [first]
        rows += [self._indented(row, width) for row in self._run_rows(found, width - 2)]
        graphs = max(4, height - len(rows) - 1)
        rows += [self._indented(row, width) for row in self._block(found, width - 2, graphs)]
        extra = self._extra(found, width - 2)
        if extra is not None:
            rows.append(self._indented(extra, width))
        return [row.strip(style.text) for row in rows]

    def _indented(self, row: Row, width: int) -> Row:
        return Row(width).add(" ", self.palette.text).join(row)
