"""Moving about: panes, rows of a log, screens."""

from __future__ import annotations

from tui.deck import words
from tui.deck.handlers.registry import handles
from tui.deck.port import Deck
from tui.deck.screens.dialogs import Choice, Menu
from tui.deck.screens.log import LogScreen
from tui.deck.screens.panes import PanesScreen
from tui.deck.screens.zoom import ZoomScreen

_CUT = "what it has begun stays as it is; the same again goes on with it"
_STEPS = {"left": (-1, 0), "right": (1, 0), "up": (0, -1), "down": (0, 1)}
SIDEWAYS = 8


def _move(direction: str) -> None:
    across, down = _STEPS[direction]

    @handles(direction)
    def move(deck: Deck, key: str) -> None:
        screen = deck.screen
        if isinstance(screen, PanesScreen):
            screen.move(across, down)
        elif isinstance(screen, LogScreen):
            if down:
                screen.view.move(down)
            else:
                screen.view.sideways(across * SIDEWAYS)


for _direction in _STEPS:
    _move(_direction)


def go_to(deck: Deck, key: str) -> None:
    """Focuses a pane; zoomed in, shows it."""
    deck.focused_key = key
    screen = deck.screen
    if isinstance(screen, PanesScreen):
        screen.focus_pane(key)
    elif isinstance(screen, ZoomScreen):
        screen.show(deck.desk.panes[key])


def _step(deck: Deck, step: int) -> None:
    keys = [pane.key for pane in deck.desk.shown()]
    if isinstance(deck.screen, PanesScreen):
        keys = deck.screen.ordered_keys()
    if keys:
        here = keys.index(deck.focused_key) if deck.focused_key in keys else -1
        go_to(deck, keys[(here + step) % len(keys)])


@handles("next")
def following(deck: Deck, key: str) -> None:
    """The next pane."""
    _step(deck, 1)


@handles("previous")
def previous(deck: Deck, key: str) -> None:
    """The pane before."""
    _step(deck, -1)


@handles("jump")
def jump(deck: Deck, key: str) -> None:
    """The pane of this number."""
    panes = deck.desk.shown()
    if key.isdigit() and int(key) <= len(panes):
        go_to(deck, panes[int(key) - 1].key)


@handles("page-up")
def page_up(deck: Deck, key: str) -> None:
    """A page up."""
    screen = deck.screen
    if isinstance(screen, LogScreen):
        screen.view.move(-max(1, screen.view.size.height - 1))
    elif isinstance(screen, PanesScreen):
        screen.move(0, -10 if screen.showing_table else -1)


@handles("page-down")
def page_down(deck: Deck, key: str) -> None:
    """A page down."""
    screen = deck.screen
    if isinstance(screen, LogScreen):
        screen.view.move(max(1, screen.view.size.height - 1))
    elif isinstance(screen, PanesScreen):
        screen.move(0, 10 if screen.showing_table else 1)


@handles("top")
def top(deck: Deck, key: str) -> None:
    """The first."""
    screen = deck.screen
    if isinstance(screen, LogScreen):
        screen.view.to_top()
    elif isinstance(screen, PanesScreen) and (keys := screen.ordered_keys()):
        screen.focus_pane(keys[0])


@handles("bottom")
def bottom(deck: Deck, key: str) -> None:
    """The last; a log follows."""
    screen = deck.screen
    if isinstance(screen, LogScreen):
        screen.view.set_follow(True)
    elif isinstance(screen, PanesScreen) and (keys := screen.ordered_keys()):
        screen.focus_pane(keys[-1])


@handles("zoom")
def zoom(deck: Deck, key: str) -> None:
    """The focused pane in full."""
    pane = deck.focused_pane
    if pane is not None:
        deck.show(ZoomScreen(pane))


@handles("back")
def back(deck: Deck, key: str) -> None:
    """Ends what is on top: a question, a selection, a search, a filter; then the screen itself."""
    screen = deck.screen
    if isinstance(screen, LogScreen):
        view = screen.view
        if screen.end_prompt():
            return
        if view.text_selection is not None:
            screen.clear_selection()
            return
        if view.looking:
            screen.stop_looking()
            return
        if view.pattern is not None:
            view.find(None)
            return
        if view.model.pattern is not None or view.model.level:
            view.model.level = ""
            view.set_filter(None)
            return
    if isinstance(screen, PanesScreen):
        screen.end_filter()
        if deck.marked:
            deck.marked.clear()
            screen.tick(slow=True)
    else:
        deck.leave_screen()


@handles("quit")
async def quit_deck(deck: Deck, key: str) -> None:
    """Leaves; the stack goes on. What runs and would be cut off is asked about."""
    runner = deck.runner
    runner.leaving = False
    if running := runner.running:
        title = running[-1].title if len(running) == 1 else words.count(len(running), "command")
        choices = [
            Choice("wait", "Leave when it is done", note="Esc: stay here"),
            Choice("cut", "Leave now and stop it", tuple(command.line for command in running), _CUT, danger=True),
        ]
        chosen = await deck.ask(Menu(f"Not done yet: {title}", choices))
        runner.leaving = chosen == "wait"
        if chosen is None or (chosen == "wait" and runner.running):
            return
    deck.exit()
