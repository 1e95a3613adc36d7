"""Actions on a log."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import aclosing
from datetime import datetime
from pathlib import Path

from tui.deck import usecases, words
from tui.deck.handlers.registry import handles
from tui.deck.pattern import Pattern, parse_pattern
from tui.deck.port import Deck
from tui.deck.screens.dialogs import AskText, Choice, Menu
from tui.deck.screens.log import LogScreen
from tui.deck.screens.merged import MergedScreen
from tui.deck.screens.panes import PanesScreen
from tui.deck.screens.zoom import ZoomScreen
from tui.deck.widgets.log import LogView
from tui.stack.root import folder_here
from tui.stack.wholefile import whole_file
from tui.text import bare
from tui.watch.live import Pane
from tui.watch.session import Session


def _view(deck: Deck) -> LogView | None:
    return deck.screen.view if isinstance(deck.screen, LogScreen) else None


def _pattern(deck: Deck, text: str) -> tuple[bool, Pattern | None]:
    try:
        return True, parse_pattern(text)
    except ValueError as error:
        deck.say(str(error), severity="error")
        return False, None


@handles("find")
def find(deck: Deck, key: str) -> None:
    """Asks what to search for; in the table what to filter by."""
    screen = deck.screen
    if isinstance(screen, PanesScreen):
        screen.start_filter()
        return
    view = _view(deck)
    if view is None or not isinstance(screen, LogScreen):
        return

    def search(text: str) -> None:
        ok, pattern = _pattern(deck, text)
        if ok:
            view.find(pattern)

    screen.ask("search /", view.pattern.text if view.pattern else "", search)


def _again(step: int) -> Callable[[Deck, str], None]:
    def again(deck: Deck, key: str) -> None:
        view = _view(deck)
        if view is None:
            return
        if view.pattern is None:
            deck.say("Nothing to search for yet: / asks.")
        else:
            view.find(view.pattern, step)

    return again


# As in a pager that was searched from its end: next goes up.
handles("find-next")(_again(-1))
handles("find-previous")(_again(1))


@handles("filter")
def narrow(deck: Deck, key: str) -> None:
    """Asks what to filter by."""
    screen, view = deck.screen, _view(deck)
    if view is None or not isinstance(screen, LogScreen):
        return

    def apply(text: str) -> None:
        ok, pattern = _pattern(deck, text)
        if ok:
            view.set_filter(pattern)

    screen.ask("only lines with (! without)", view.model.pattern.text if view.model.pattern else "", apply)


def _on_view(action_id: str, act: Callable[[LogView], object]) -> None:
    def handler(deck: Deck, key: str) -> None:
        view = _view(deck)
        if view is not None:
            act(view)

    handles(action_id)(handler)


_on_view("level", LogView.next_level)
_on_view("follow", lambda view: view.set_follow(not view.follow))
_on_view("wrap", LogView.toggle_wrap)
_on_view("timestamps", LogView.toggle_timestamps)
_on_view("fold", LogView.toggle_fold)
_on_view("open-row", LogView.open_row)
_on_view("next-mark", lambda view: view.to_mark(1))
_on_view("previous-mark", lambda view: view.to_mark(-1))


@handles("mark")
def mark(deck: Deck, key: str) -> None:
    """Marks the pane, or the line."""
    view = _view(deck)
    if view is not None:
        view.mark()
    elif deck.focused_key:
        if deck.focused_key in deck.marked:
            del deck.marked[deck.focused_key]
        else:
            deck.marked[deck.focused_key] = None
        deck.tick(slow=True)


@handles("export")
async def export(deck: Deck, key: str) -> None:
    """Writes what is shown, or all that the engine has, to a file."""
    screen, view = deck.screen, _view(deck)
    if view is None:
        return
    ready = deck.desk.ready
    panes = [pane for pane in screen.panes if pane.replica] if isinstance(screen, ZoomScreen | MergedScreen) else []
    choices = [Choice("shown", "What is shown", note=words.count(len(view.model.texts()), "line"))]
    if panes and ready is not None:
        names = dict.fromkeys(pane.name if pane.is_run or not pane.service else pane.service.name for pane in panes)
        choices.append(Choice("all", "All that the engine has", (usecases.verb(ready, "logs", *names, "-n", "all"),)))
    chosen = await deck.ask(Menu("Write the log to a file", choices))
    if chosen is None:
        return
    name = bare(panes[0].name) if len(panes) == 1 else "logs"
    suggested = (folder_here() or Path.home()) / f"{name.replace('/', '-')}-{datetime.now():%Y%m%d-%H%M%S}.log"
    target, note = suggested, ""
    while True:
        path = await deck.ask(AskText("Write to which file?", str(target), note))
        if not path:
            return
        target = Path(path).expanduser()
        if not target.exists():
            break
        note = f"{target} exists and stays as it is: another name?"
        target = target.with_stem(f"{target.stem}-{datetime.now():%Y%m%d-%H%M%S-%f}")
    if chosen == "shown":
        texts = view.model.texts()
        number = await asyncio.to_thread(_write, target, [f"{text}\n" for text in texts])
    else:
        assert ready is not None
        number = await _write_all(ready, panes, target)
    deck.say(f"{words.count(number, 'line')} written to {target}")


def _write(target: Path, lines: Sequence[str]) -> int:
    """Writes a file whole or not at all. Raises OSError."""
    with whole_file(target, new=True) as file:
        file.writelines(lines)
    return len(lines)


async def _write_all(ready: Session, panes: Sequence[Pane], target: Path) -> int:
    """Streams whole logs into a file, by time and in parts: they may be larger than memory. Of several services the
    name stands before each line."""
    replicas = [pane.replica for pane in panes if pane.replica is not None]
    tags = {pane.replica.id: f"{bare(pane.name)} | " for pane in panes if pane.replica is not None}
    number = 0
    with whole_file(target, new=True) as file:
        part: list[str] = []
        async with aclosing(usecases.whole_log(ready, replicas, lambda why: part.append(f"{bare(why)}\n"))) as entries:
            async for entry in entries:
                part.append(f"{tags[entry.replica.id] if len(tags) > 1 else ''}{bare(entry.line.text)}\n")
                number += 1
                if len(part) >= 5000:
                    await asyncio.to_thread(file.writelines, part)
                    part = []
        file.writelines(part)
    return number


@handles("merged")
def merged(deck: Deck, key: str) -> None:
    """The logs of the marked services, or of all, as one."""
    panes = deck.desk.panes
    chosen = [panes[name] for name in deck.marked if name in panes] or deck.desk.shown()
    if chosen:
        deck.show(MergedScreen(chosen))
