"""The first screen: every service at once, as cards, as rows or as a table, by how much room there is."""

from __future__ import annotations

from dataclasses import dataclass

from textual import events
from textual.app import ComposeResult
from textual.containers import Container
from textual.widgets import Input

from tui.deck.screens.base import DeckScreen
from tui.deck.widgets.pane import CARD, PaneView
from tui.deck.widgets.table import PaneTable
from tui.watch.live import Pane

# A card narrower or lower than this (cells) has nothing to say.
NARROWEST = 48
LOWEST = 9


@dataclass(frozen=True, slots=True)
class Plan:
    """How panes are laid out: columns, rows, and rows of cells of each; 0 columns is the table."""

    columns: int
    rows: int
    height: int


def plan(count: int, width: int, height: int) -> Plan:
    """The fewest columns whose cards are high enough; else rows of two lines or one; else the table."""
    if count == 0:
        return Plan(1, 1, height)
    options = [Plan(n, -(-count // n), height // -(-count // n)) for n in range(1, max(1, width // NARROWEST) + 1)]
    for option in options:
        if option.height >= LOWEST:
            return option
    best = max(options, key=lambda option: option.height)
    if best.height >= CARD:
        return best
    if 2 * count <= height:
        return Plan(1, count, 2)
    return Plan(0, count, 1)


class PanesScreen(DeckScreen):
    """All panes."""

    scope = "panes"
    DEFAULT_CSS = """
    PanesScreen { layers: base; }
    #cards { layout: grid; grid-gutter: 0; height: 1fr; overflow: hidden; }
    #cards.rows { layout: vertical; }
    PaneTable { height: 1fr; display: none; }
    #filter { height: 1; border: none; display: none; background: $panel; dock: bottom; margin-bottom: 1; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._views: dict[str, PaneView] = {}
        self._plan: Plan | None = None
        self._spare = 0
        self.as_table = False

    def compose(self) -> ComposeResult:
        """Header, cards or table, footer."""
        header, footer = self.bars()
        yield header
        yield Container(id="cards")
        yield PaneTable(self.deck.desk.now)
        yield Input(placeholder="part of a name or state", compact=True, id="filter")
        yield footer

    def on_mount(self) -> None:
        """The first picture."""
        self.place_panes()

    def on_resize(self, event: events.Resize) -> None:
        """Another size may be another layout."""
        self.call_after_refresh(self.place_panes)

    @property
    def showing_table(self) -> bool:
        """Whether the table is what is seen."""
        return self.query_one(PaneTable).display

    def place_panes(self) -> None:
        """Makes the views match the panes, and lays them out."""
        panes = self.deck.desk.shown()
        width, height = self.size.width, self.size.height - 3
        if width <= 0 or height <= 0:
            return
        wanted = plan(len(panes), width, height)
        if self.as_table:
            wanted = Plan(0, len(panes), 1)
        cards, table = self.query_one("#cards", Container), self.query_one(PaneTable)
        with self.app.batch_update():
            table.display = wanted.columns == 0
            cards.display = wanted.columns != 0
            self._match(panes, cards)
            self._lay_out(wanted, cards, len(panes), height)
        self._plan = wanted
        self._focus()

    def _match(self, panes: list[Pane], cards: Container) -> None:
        keys = {pane.key for pane in panes}
        for key in [key for key in self._views if key not in keys]:
            self._views.pop(key).remove()
        for number, pane in enumerate(panes, 1):
            view = self._views.get(pane.key)
            if view is None:
                view = self._views[pane.key] = PaneView(pane, number, self.deck.desk.now)
                cards.mount(view)
            view.pane, view.number = pane, number
        for number, pane in enumerate(panes):
            view = self._views[pane.key]
            if number < len(cards.children) and cards.children[number] is not view:
                cards.move_child(view, before=number)

    def _lay_out(self, wanted: Plan, cards: Container, count: int, height: int) -> None:
        as_rows = wanted.columns == 1 and wanted.height < CARD
        cards.set_class(as_rows, "rows")
        views = list(self._views.values())
        if wanted.columns and not as_rows:
            cards.styles.grid_size_columns = wanted.columns
            cards.styles.grid_size_rows = wanted.rows
        last = count % wanted.columns if wanted.columns else 0
        for view in views:
            alone = last and view.number == count
            view.styles.column_span = wanted.columns - last + 1 if alone and not as_rows else 1
            view.styles.height = wanted.height if as_rows else "1fr"
        self._spare = height - wanted.height * count if as_rows else 0

    def _focus(self) -> None:
        deck = self.deck
        panes = deck.desk.shown()
        if panes and deck.focused_key not in self._views:
            deck.focused_key = panes[0].key
        if self.showing_table:
            table = self.query_one(PaneTable)
            if self.focused is not table and self.is_current:
                self.set_focus(table)
        elif deck.focused_key in self._views and self.is_current:
            self.set_focus(self._views[deck.focused_key], scroll_visible=False)
        if self._spare and self._plan is not None and not self.showing_table:
            # The rows left over show more of the focused one's log.
            for key, view in self._views.items():
                view.styles.height = self._plan.height + (self._spare if key == deck.focused_key else 0)

    @property
    def table(self) -> PaneTable:
        """The table, seen or not."""
        return self.query_one(PaneTable)

    @property
    def log_keys(self) -> list[str]:
        """The panes that are seen."""
        return self.table.seen if self.showing_table else [pane.key for pane in self.deck.desk.shown()]

    def _tick_table(self) -> None:
        deck, table = self.deck, self.table
        table.panes, table.focused_key, table.marked = deck.desk.shown(), deck.focused_key, deck.marked
        table.tick()

    def start_filter(self) -> None:
        """Asks for a text; only panes with it are in the table then."""
        field = self.query_one("#filter", Input)
        self.as_table = True
        self.place_panes()
        field.display = True
        field.value = self.table.filter
        field.focus()

    def end_filter(self) -> None:
        """All panes again."""
        field = self.query_one("#filter", Input)
        if field.display or self.table.filter:
            field.display = False
            self.table.filter = ""
            self._tick_table()
            self._focus()

    def on_input_changed(self, message: Input.Changed) -> None:
        """The table follows what is typed."""
        self.table.filter = message.value
        self._tick_table()

    def on_input_submitted(self, message: Input.Submitted) -> None:
        """Enter keeps the filter."""
        self.query_one("#filter", Input).display = False
        if self.table.keys and self.deck.focused_key not in self.table.keys:
            self.deck.focused_key = self.table.keys[0]
        self._focus()

    def focus_pane(self, key: str) -> None:
        """Makes a pane the one that keys work on."""
        self.deck.focused_key = key
        self._focus()
        if self.showing_table:
            self._tick_table()

    def move(self, across: int, down: int) -> None:
        """Focuses the pane in a direction."""
        keys = self.ordered_keys()
        if not keys:
            return
        here = keys.index(self.deck.focused_key) if self.deck.focused_key in keys else 0
        columns = self._plan.columns if self._plan and not self.showing_table else 1
        columns = max(1, columns)
        column, row = here % columns + across, here // columns + down
        place = row * columns + column
        if 0 <= column < columns and row >= 0:
            if place >= len(keys):
                if row > (len(keys) - 1) // columns:
                    return
                place = len(keys) - 1
            self.focus_pane(keys[place])

    def ordered_keys(self) -> list[str]:
        """The panes' keys as they are seen."""
        if self.showing_table:
            return self.query_one(PaneTable).keys
        return [pane.key for pane in self.deck.desk.shown()]

    def on_pane_view_chosen(self, message: PaneView.Chosen) -> None:
        """A click."""
        self.focus_pane(message.key)
        if message.zoom:
            self.deck.perform("zoom", "")

    def on_pane_table_chosen(self, message: PaneTable.Chosen) -> None:
        """A click in the table."""
        self.focus_pane(message.key)
        if message.zoom:
            self.deck.perform("zoom", "")

    def tick(self, *, slow: bool) -> None:
        """Every visible pane looks whether it has changed."""
        super().tick(slow=slow)
        if not slow:
            return
        deck = self.deck
        if self.showing_table:
            self._tick_table()
            return
        for pane in deck.desk.shown():
            view = self._views.get(pane.key)
            if view is not None:
                view.pane = pane
                view.marked = pane.key in deck.marked
                view.step = deck.runner.step_of(pane)
                view.run = deck.desk.runs.get(pane.key)
                view.tick()
