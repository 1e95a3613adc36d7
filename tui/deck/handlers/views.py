"""What else is shown: table, inspect, links, copying, commands, help, palette, themes."""

from __future__ import annotations

from urllib.parse import urlsplit

from tui.deck.browser import has_browser, open_page
from tui.deck.clipboard import copy_by_tool
from tui.deck.handlers.registry import handles
from tui.deck.port import Deck
from tui.deck.screens.dialogs import Choice, Menu
from tui.deck.screens.log import LogScreen
from tui.deck.screens.open import OpenMenu
from tui.deck.screens.panes import PanesScreen
from tui.engine.interface import EngineError
from tui.stack.errors import StackError
from tui.text import bare
from tui.watch.live import Pane
from tui.watch.roles import has_login, login_of
from tui.watch.roles.kind import Login


@handles("table")
def table(deck: Deck, key: str) -> None:
    """Panes or table."""
    if isinstance(deck.screen, PanesScreen):
        deck.screen.as_table = not deck.screen.as_table
        deck.screen.place_panes()
        deck.screen.tick(slow=True)


@handles("sort")
def sort(deck: Deck, key: str) -> None:
    """Sorts the table by the next column, or the one before."""
    if isinstance(deck.screen, PanesScreen):
        if not deck.screen.showing_table:
            table(deck, key)
        deck.screen.table.sort_by(-1 if key == "<" else 1)


@handles("inspect")
def inspect(deck: Deck, key: str) -> None:
    """Settings, mounts, ports, processes, the raw record."""
    from tui.deck.screens.inspect import InspectScreen

    pane = deck.focused_pane
    if pane is not None:
        deck.show(InspectScreen(pane))


@handles("secrets")
def secrets(deck: Deck, key: str) -> None:
    """Shows or hides secrets among the settings."""
    from tui.deck.screens.inspect import InspectScreen

    if isinstance(deck.screen, InspectScreen):
        deck.screen.action_secrets()
    else:
        inspect(deck, key)


@handles("open")
async def open_ui(deck: Deck, key: str) -> None:
    """Opens the service's page, or copies its address where there is no browser."""
    pane = deck.focused_pane
    if pane is None:
        return
    links = [(title, url) for title, url in pane.links if urlsplit(url).scheme in ("http", "https")]
    run = deck.desk.runs.get(pane.key)
    if run is not None and run.url:
        links.insert(0, ("Application", run.url))
    if not links:
        deck.say(f"{pane.name} has no page now.", severity="warning")
        return
    url = links[0][1]
    login = await _login(deck, pane)
    if len(links) > 1 or login is not None:
        choices = [Choice(address, title, note=address) for title, address in links]
        title = f"Open a page of {pane.name}"
        menu = Menu(title, choices)
        if login is not None:
            menu = OpenMenu(title, choices, login, lambda value: copy(deck, value, "The password", secret=True))
        chosen = await deck.ask(menu)
        if chosen is None:
            return
        url = chosen
    await open_url(deck, url)


async def _login(deck: Deck, pane: Pane) -> Login | None:
    """The login of a service's page, if it has one and that can be read now."""
    ready = deck.desk.ready
    if ready is None or pane.replica is None or pane.is_run or pane.service is None:
        return None
    if not has_login(ready.stack, ready.project, pane.service.name):
        return None
    try:
        return await login_of(ready.engine, ready.stack, pane.replica)
    except (EngineError, StackError):
        # The page opens without it too.
        return None


async def open_url(deck: Deck, url: str) -> None:
    """Opens an address in the browser, or copies it where there is none."""
    if has_browser() and await open_page(url):
        deck.say(f"Opened {url}")
    else:
        await copy(deck, url, "No browser opens here: the address")


async def copy(deck: Deck, value: str, what: str, *, secret: bool = False) -> None:
    """Copies a text and says what is known of it; of a secret not what it is."""
    deck.copy_to_clipboard(value)
    tool = await copy_by_tool(value)
    shown = "" if secret else f": {value}" if len(value) < 100 else f": {len(value)} characters"
    deck.say(f"{what} was copied{shown}" if tool else f"{what} was handed to the terminal (OSC 52){shown}")


@handles("copy")
async def copy_something(deck: Deck, key: str) -> None:
    """What is selected; in a log the line, else a name, an id, an address."""
    screen = deck.screen
    selected = screen.get_selected_text()
    if selected:
        await copy(deck, selected, "The selection")
        screen.clear_selection()
        return
    if isinstance(screen, LogScreen):
        await copy(deck, screen.view.cursor_text(), "The line")
        return
    pane = deck.focused_pane
    if pane is None:
        return
    values = {"Name": bare(pane.name)}
    if pane.replica is not None:
        values |= {"Container": bare(pane.replica.name), "Id": pane.replica.id, "Image": bare(pane.replica.image)}
    values |= {title: url for title, url in pane.links}
    choices = [Choice(value, title, note=value) for title, value in values.items() if value]
    chosen = await deck.ask(Menu(f"Copy from {pane.name}", choices))
    if chosen is not None:
        await copy(deck, chosen, "It")


@handles("commands")
def commands(deck: Deck, key: str) -> None:
    """What was run."""
    from tui.deck.screens.commands import CommandsScreen

    deck.show(CommandsScreen(deck.runner))


@handles("help")
def help_keys(deck: Deck, key: str) -> None:
    """The keys valid here."""
    from tui.deck.screens.help import HelpScreen

    deck.show(HelpScreen(deck.keymap, deck.scope))


@handles("palette")
async def palette(deck: Deck, key: str) -> None:
    """Every action valid here, by name."""
    from tui.deck.screens.palette import Palette

    chosen = await deck.ask(Palette(deck.keymap, deck.scope))
    if chosen is not None:
        deck.perform(chosen, chosen)


@handles("theme")
def theme(deck: Deck, key: str) -> None:
    """Dark or light."""
    deck.toggle_theme()
