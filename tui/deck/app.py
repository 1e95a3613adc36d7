"""The deck: one app, one tick, one table of actions."""

from __future__ import annotations

import asyncio
import gc
import signal
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any, ClassVar, TypeVar

from textual import events
from textual.actions import SkipAction
from textual.app import App, SuspendNotSupported
from textual.driver import Driver
from textual.notifications import Notification, Notify
from textual.screen import ModalScreen, Screen
from textual.widgets import Input

from tui.checks.foreign import OWN_NAME
from tui.deck.actions import BY_ID, Keymap, keys_text
from tui.deck.commands import DONE, FAILED, FAILURES, Command, Runner
from tui.deck.desk import Desk
from tui.deck.handlers.registry import HANDLERS
from tui.deck.screens.base import DeckScreen
from tui.deck.screens.dialogs import Ask
from tui.deck.screens.panes import PanesScreen
from tui.deck.settings import Settings
from tui.deck.theme import DARK, LIGHT, no_color, themes
from tui.watch.live import Pane

# The tick, in seconds: for a log that is read, and how many of these are one for everything else.
FAST, SLOW = 0.1, 0.25

# Python's own full collections come whenever a log has filled and hold a key up by 30 to 60 ms: one on the tick,
# every so many seconds, is enough.
GC_THRESHOLDS, GC_SECONDS = (10_000, 10, 1_000), 60.0

T = TypeVar("T")
HANDLER_MODULES = "tui.deck.handlers.every"


class Said(Notification):
    """A message. Where no time is left when it comes to the screen, Textual's timer (8.2) counts for ever."""

    @property
    def time_left(self) -> float:
        """Seconds."""
        return max(0.01, super().time_left)


class DeckApp(App[None]):
    """The UI. What it shows comes from the desk, what it does goes through the runner."""

    TITLE = "SparkDeck"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar = []
    CSS = """
    DeckScreen { background: $background; color: $foreground; }
    ToastRack { margin-bottom: 1; }
    OptionList, OptionList:focus {
        border: none; padding: 0; background: $background; background-tint: $background 0%;
    }
    OptionList > .option-list--option-highlighted { background: $block-cursor-background; color: $foreground; }
    OptionList:focus > .option-list--option-highlighted { background: $block-cursor-background; color: $foreground; }
    DeckApp:ansi Screen > .screen--selection { text-style: reverse; }
    DeckApp:ansi OptionList > .option-list--option-highlighted { text-style: underline; }
    """

    def __init__(self, desk: Desk, settings: Settings | None = None, *, read_only: bool = False) -> None:
        # Else Textual would draw shades of grey instead of none.
        super().__init__(ansi_color=no_color() or None)
        self.desk = desk
        self.settings = settings or Settings()
        self.read_only = read_only
        self.keymap = Keymap(self.settings.keys, read_only=read_only, lacks=desk.lacks)
        self.runner = Runner(self._command_ended)
        self.focused_key = ""
        self.marked: dict[str, None] = {}
        self.paused = False
        self.cut: list[Command] = []
        """The commands that were stopped by leaving."""
        self._ticker: asyncio.Task[None] | None = None
        self._acting: set[asyncio.Task[None]] = set()
        self._agreed = False
        self._arranged: object = None
        self._attended: list[str] = []

    def get_driver_class(self) -> type[Driver]:
        """Textual's driver; on a terminal, one that is quicker with Esc."""
        found = super().get_driver_class()
        if found.__name__ == "LinuxDriver":
            from tui.deck.driver import KeyDriver

            return KeyDriver
        return found

    # life

    def on_mount(self) -> None:
        """Paints first, then asks the engine."""
        for theme in themes():
            self.register_theme(theme)
        self.theme = self.settings.theme_name()
        # The screens' own keys are looked up in the table; the dialogs' are bindings of their actions' ids.
        self.set_keymap({name: ",".join(keys) for name, keys in self.settings.keys.items()})
        if self.settings.reduced_motion:
            self.animation_level = "none"
        self.push_screen(PanesScreen())
        self.call_after_refresh(self._begin)

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Nor does the cursor of a field blink then."""
        if self.settings.reduced_motion and isinstance(event.widget, Input):
            event.widget.cursor_blink = False

    def _begin(self) -> None:
        self.desk.start()
        self._ticker = self.desk.supervisor.keep("the deck's clock", self._tick)
        for problem in self.settings.problems:
            self.say(problem, severity="warning")

    async def shut(self) -> None:
        """Ends every task of the deck. The stack goes on."""
        tasks = [task for task in (self._ticker, *self._acting) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        # Where nobody can be asked any more, because the terminal is gone, what was begun is finished.
        self.cut = await self.runner.close(finish=self.return_code == 128 + signal.SIGHUP)
        await self.desk.close()

    async def on_unmount(self) -> None:
        """The last thing that happens."""
        await self.shut()

    # the tick

    async def _tick(self) -> None:
        due, collect = 0.0, 0.0
        loop = asyncio.get_running_loop()
        while True:
            screen = self._top_deck_screen()
            # Under a dialog nobody reads a log line by line.
            fast = screen is self.screen and screen is not None and screen.fast
            await asyncio.sleep(FAST if fast else SLOW)
            if self.paused or screen is None:
                continue
            slow = loop.time() >= due
            if slow:
                due = loop.time() + SLOW - 0.05
            try:
                with self.batch_update():
                    self.tick(slow=slow)
            except Exception as error:  # a picture that fails must not stop all later ones
                await self.desk.supervisor.note("the picture", error)
            if self.desk.ready is not None and loop.time() >= collect:
                if collect == 0.0:
                    # Or the first key would wait for them.
                    await asyncio.to_thread(import_module, HANDLER_MODULES)
                    gc.set_threshold(*GC_THRESHOLDS)
                    gc.freeze()
                else:
                    gc.collect()
                collect = loop.time() + GC_SECONDS

    def _top_deck_screen(self) -> DeckScreen | None:
        for screen in reversed(self.screen_stack):
            if isinstance(screen, DeckScreen):
                return screen
        return None

    def tick(self, *, slow: bool) -> None:
        """Compares and redraws; the layout only when the set of panes has changed."""
        desk = self.desk
        shown = self._top_deck_screen()
        if shown is None or not shown.is_drawn or not self.screen.is_mounted:
            return
        if slow:
            arranged = tuple(pane.key for pane in desk.shown())
            if arranged != self._arranged:
                self._arranged = arranged
                desk.follow_runs()
                for screen in self.screen_stack:
                    if isinstance(screen, PanesScreen):
                        screen.place_panes()
                self.marked = {key: None for key in self.marked if key in arranged}
            if desk.ready is not None and (seen := self.attended()) != self._attended:
                self._attended = seen
                desk.ready.watch.attend(seen)
        shown.tick(slow=slow)
        if self.screen is not shown and hasattr(self.screen, "tick"):
            self.screen.tick(slow=slow)

    def attended(self) -> list[str]:
        """The panes that the top screen shows."""
        screen = self._top_deck_screen()
        keys = getattr(screen, "log_keys", None)
        return list(keys) if keys is not None else [pane.key for pane in self.desk.shown()]

    # what keys work on

    @property
    def focused_pane(self) -> Pane | None:
        """The pane that keys work on."""
        return self.desk.panes.get(self.focused_key)

    def chosen_panes(self) -> list[Pane]:
        """The marked panes, else the focused one."""
        panes = self.desk.panes
        marked = [panes[key] for key in self.marked if key in panes]
        if marked:
            return marked
        return [self.focused_pane] if self.focused_pane is not None else []

    # doing

    def perform(self, action_id: str, key: str) -> None:
        """Does an action; what it raises becomes a message."""
        if action_id not in BY_ID or not self.keymap.allows(action_id):
            return
        if why_not := self.keymap.why_not(action_id):
            self.say(f"{BY_ID[action_id].title}: {why_not}", severity="warning")
            return
        # While a thread is still at it, this waits for its end.
        import_module(HANDLER_MODULES)
        with self._told():
            whose = self.desk.whose() if BY_ID[action_id].changes and not self._agreed else ""
            result = self._if_agreed(whose, action_id, key) if whose else HANDLERS[action_id](self, key)
            if result is not None:
                task = asyncio.ensure_future(self._act(result))
                self._acting.add(task)
                task.add_done_callback(self._acting.discard)

    async def _if_agreed(self, whose: str, action_id: str, key: str) -> None:
        """What is not this stack's is acted on only after a clear yes, which holds while the deck is open."""
        if await self.ask(Ask("Act on what is not this stack's?", (), f"{whose} {OWN_NAME}")):
            self._agreed = True
            self.perform(action_id, key)

    async def _act(self, result: Awaitable[None]) -> None:
        with self._told():
            await result

    @contextmanager
    def _told(self) -> Iterator[None]:
        """What is raised becomes a message."""
        try:
            yield
        except FAILURES as error:
            self.say(str(error), severity="error")
        except Exception as error:  # a mistake of ours must not take the deck down
            self.say(f"{type(error).__name__}: {error}. This is a mistake in SparkDeck.", severity="error")
            if self.settings.strict:
                raise

    def copy_selection(self) -> None:
        """Ctrl+C is `copy` where something is selected. Raises SkipAction where nothing is."""
        if not self.screen.get_selected_text():
            raise SkipAction
        self.perform("copy", "")

    def action_help_quit(self) -> None:
        """Ctrl+C where nothing is selected: who presses it wants to leave."""
        self.say(f"{keys_text(self.keymap.keys['quit'])} leaves; the stack and its runs go on.")

    async def ask(self, dialog: ModalScreen[T | None]) -> T | None:
        """Shows a dialog and waits for its answer; None if it was left."""
        answer: asyncio.Future[T | None] = asyncio.get_running_loop().create_future()

        def answered(value: T | None) -> None:
            if not answer.done():
                answer.set_result(value)

        self.push_screen(dialog, answered)
        return await answer

    def show(self, screen: Screen[Any]) -> None:
        """Puts a screen on top; nobody waits for its end."""
        self.push_screen(screen)

    def leave_screen(self) -> None:
        """Takes the top screen away; the first one stays."""
        if len(self.screen_stack) > 2:
            self.pop_screen()

    @contextmanager
    def lent(self) -> Iterator[None]:
        """The terminal is somebody else's within: nothing is painted meanwhile, and what fails gives it back too.

        Raises SuspendNotSupported where it cannot be lent, or is, and what is raised within.
        """
        if self.paused:
            raise SuspendNotSupported
        failed: Exception | None = None
        self.paused = True
        try:
            with self.batch_update(), self.suspend():
                try:
                    yield
                except Exception as error:  # Textual would leave the terminal as it is
                    failed = error
        finally:
            self.paused = False
        if failed is not None:
            raise failed

    @property
    def scope(self) -> str:
        """Which keys are valid: the scope of the top screen or dialog."""
        return str(getattr(self.screen, "scope", ""))

    def say(self, text: str, *, severity: str = "information", title: str = "") -> None:
        """A message that goes away by itself. Nothing in it is markup."""
        seconds = 4 if severity == "information" else 10
        self.post_message(Notify(Said(text, title, severity, seconds, markup=False)))  # type: ignore[arg-type]

    def _command_ended(self, command: Command) -> None:
        if command.state == DONE:
            self.say(f"{command.title}: done in {command.elapsed:.1f} s")
        elif command.state == FAILED:
            self.runner.leaving = False
            self.say(command.error, severity="error", title=f"{command.title} failed")
        if self.runner.leaving and not self.runner.running:
            self.exit()

    def toggle_theme(self) -> None:
        """Dark or light."""
        self.theme = LIGHT if self.theme == DARK else DARK
