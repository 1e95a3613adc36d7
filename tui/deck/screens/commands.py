"""The command log: what ran, how long it took, what it answered."""

from __future__ import annotations

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Label, OptionList
from textual.widgets.option_list import Option

from tui.deck import words
from tui.deck.actions import COMMANDS
from tui.deck.commands import DONE, FAILED, RUNNING, Command, Runner
from tui.deck.screens.dialogs import Dialog

_SIGNS = {RUNNING: ("▸", "$accent"), DONE: ("✓", "$success"), FAILED: ("✗", "$error")}
SHOWN_LINES = 500


class CommandsScreen(Dialog[None], scope=COMMANDS):
    """Commands above, the answer of the chosen one below."""

    DEFAULT_CSS = """
    CommandsScreen { align: center middle; background: $background 60%; }
    CommandsScreen > Vertical {
        width: 96%; height: 92%; padding: 0 1;
        border: round $accent; border-title-color: $accent; border-title-style: bold; background: $background;
    }
    CommandsScreen OptionList { height: auto; max-height: 40%; border: none; padding: 0; background: $background; }
    CommandsScreen VerticalScroll { height: 1fr; border-top: solid $border; scrollbar-size-vertical: 1; }
    CommandsScreen Label { width: 100%; }
    """

    def __init__(self, runner: Runner) -> None:
        super().__init__()
        self._runner = runner
        self._commands: list[Command] = []
        self._seen: object = None

    def compose(self) -> ComposeResult:
        """List and answer."""
        with Vertical() as frame:
            frame.border_title = "Commands"
            frame.border_subtitle = Content(self.deck.keymap.tell("{stop-this} stops a running one, {leave} closes"))
            yield OptionList(markup=False)
            with VerticalScroll():
                yield Label("Nothing was run yet.", markup=False)

    def on_mount(self) -> None:
        """The newest first."""
        self.tick(slow=True)

    def tick(self, *, slow: bool) -> None:
        """Shows what is new."""
        runner = self._runner
        seen = (runner.version, tuple(int(command.elapsed) for command in runner.running))
        if not slow or seen == self._seen or not self.is_mounted:
            return
        self._seen = seen
        options = self.query_one(OptionList)
        chosen = options.highlighted
        commands = list(reversed(runner.commands))
        if len(commands) != len(self._commands):
            chosen = (chosen or 0) + len(commands) - len(self._commands) if self._commands and chosen else 0
            self._commands = commands
            options.clear_options()
            options.add_options([Option(self._prompt(command)) for command in commands])
        else:
            for index, command in enumerate(commands):
                if command.state == RUNNING or command is commands[0]:
                    options.replace_option_prompt_at_index(index, self._prompt(command))
        options.highlighted = min(chosen or 0, len(commands) - 1) if commands else None
        self._show()

    def _prompt(self, command: Command) -> Content:
        sign, style = _SIGNS.get(command.state, ("■", "$text-muted"))
        return Content.assemble(
            Content.styled(f"{sign} {command.state:<8}", style),
            Content.styled(f"{command.began_at:%H:%M:%S} {words.took(command.elapsed):>8}  ", "$text-muted"),
            Content.styled(command.line, "bold"),
        )

    def _chosen(self) -> Command | None:
        at = self.query_one(OptionList).highlighted
        return self._commands[at] if at is not None and at < len(self._commands) else None

    def _show(self) -> None:
        command = self._chosen()
        if command is None:
            return
        lines = list(command.output)[-SHOWN_LINES:]
        parts = [Content.styled(f"$ {command.line}\n", "bold $primary")]
        if command.engine_line:
            parts.append(Content.styled(f"$ {command.engine_line}\n", "$primary"))
        parts.append(Content(Text("\n".join(lines) or "(it said nothing)").plain))
        self.query_one(Label).update(Content.assemble(*parts))
        self.query_one(VerticalScroll).scroll_end(animate=False)

    def on_option_list_option_highlighted(self, message: OptionList.OptionHighlighted) -> None:
        """Another answer."""
        self._show()

    def action_stop_this(self) -> None:
        """Stops the chosen command, if it runs."""
        command = self._chosen()
        if command is not None and command.state == RUNNING:
            self._runner.stop(command)
