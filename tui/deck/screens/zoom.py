"""One service in full: figures and graphs, its whole log; its settings with `i`."""

from __future__ import annotations

from textual.app import ComposeResult

from tui.deck.screens.log import LogScreen
from tui.deck.widgets.bars import Header
from tui.deck.widgets.details import Details
from tui.watch.live import Pane


class ZoomScreen(LogScreen):
    """The focused pane in full. It follows the focus: Tab and the digits show another one here."""

    scope = "zoom"
    DEFAULT_CSS = """
    ZoomScreen Details { height: 7; }
    ZoomScreen.-low Details { height: 4; }
    ZoomScreen.-high Details { height: 11; }
    """
    VERTICAL_BREAKPOINTS = [(0, "-low"), (30, "-middle"), (56, "-high")]  # noqa: RUF012

    def __init__(self, pane: Pane) -> None:
        super().__init__()
        self._pane = pane

    def compose(self) -> ComposeResult:
        """Header, figures, log, footer."""
        header, footer = self.bars()
        header.place = self._pane.name
        yield header
        yield Details(self._pane, self.deck.desk.now)
        yield from self.log_parts(self._pane.log)
        yield footer

    def on_mount(self) -> None:
        """The log has the keys."""
        self.view.focus()

    @property
    def log_keys(self) -> list[str]:
        """The one pane."""
        return [self._pane.key]

    @property
    def panes(self) -> list[Pane]:
        """The one pane."""
        return [self._pane]

    @property
    def pane(self) -> Pane:
        """What is shown."""
        return self._pane

    def show(self, pane: Pane) -> None:
        """Another service."""
        self.stop_looking()
        self._pane = pane
        self.query_one(Header).place = pane.name
        self.query_one(Details).pane = pane
        self.view.show(pane.log)
        self.tick(slow=True)

    def tick(self, *, slow: bool) -> None:
        """The pane may have been replaced by the watch; its log goes on."""
        deck = self.deck
        pane = deck.desk.panes.get(self._pane.key)
        if pane is not None and pane is not self._pane:
            self.show(pane)
            return
        if slow:
            details = self.query_one(Details)
            details.run = deck.desk.runs.get(self._pane.key)
            details.step = deck.runner.step_of(self._pane)
            details.tick()
        super().tick(slow=slow)

    def on_unmount(self) -> None:
        """Lines that were loaded for reading are given back."""
        self._pane.log.drop_older()
