"""Several services' logs in one, by time, each with its own colour and its name before the line."""

from __future__ import annotations

from collections.abc import Sequence

from rich.segment import Segment
from textual.app import ComposeResult
from textual.strip import Strip

from tui.deck import words
from tui.deck.draw import fit
from tui.deck.logmodel import LogSource
from tui.deck.merged import MergedLog
from tui.deck.screens.log import LogScreen
from tui.deck.widgets.bars import Header
from tui.deck.widgets.log import LogView
from tui.text import bare
from tui.watch.live import LogEntry, Pane

# Cells of a name: a run's has its number at the end.
NAME = 20


class MergedView(LogView):
    """A log view with the name of the service before each line."""

    def __init__(self, source: MergedLog) -> None:
        super().__init__(source)
        self._merged = source
        self._width = min(NAME, max((len(pane.name) for pane in source.panes), default=0))

    def tick(self) -> None:
        """The rings first."""
        self._merged.pull()
        super().tick()

    def _prefix_width(self) -> int:
        return super()._prefix_width() + self._width + 1

    def _prefix(self, entry: LogEntry, part: int) -> Strip:
        place = entry.owner
        styles = self.palette.services
        name = fit(bare(self._merged.panes[place].name), self._width) if part == 0 else ""
        tag = Segment(f"{name:{self._width}} ", styles[place % len(styles)])
        return Strip.join([super()._prefix(entry, part), Strip([tag])])


class MergedScreen(LogScreen):
    """The merged log."""

    scope = "merged"

    def __init__(self, panes: Sequence[Pane]) -> None:
        super().__init__()
        self._panes = list(panes)

    @property
    def panes(self) -> list[Pane]:
        """What is merged."""
        return self._panes

    @property
    def log_keys(self) -> list[str]:
        """Every pane that is merged."""
        return [pane.key for pane in self._panes]

    def compose(self) -> ComposeResult:
        """Header, log, footer."""
        header, footer = self.bars()
        header.place = f"logs of {words.count(len(self._panes), 'service')}"
        yield header
        yield from self.log_parts(MergedLog(self._panes))
        yield footer

    def make_view(self, source: LogSource) -> LogView:
        """The view that shows names."""
        assert isinstance(source, MergedLog)
        return MergedView(source)

    def on_mount(self) -> None:
        """The log has the keys."""
        self.query_one(Header).sync()
        self.view.focus()
