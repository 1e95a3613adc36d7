"""Dialogs: a menu whose choices show the exact command, a question before something is destroyed, a text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import wrap
from typing import Any, ClassVar, Generic, TypeVar

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Label, OptionList
from textual.widgets.option_list import Option

from tui.deck.actions import ACTIONS, ASK, BY_ID, MENU, TEXT
from tui.deck.port import Deck, deck_of
from tui.text import bare


@dataclass(frozen=True, slots=True)
class Choice:
    """A choice of a menu; `lines` are the commands it stands for, `note` what to know before."""

    id: str
    title: str
    lines: tuple[str, ...] = ()
    note: str = ""
    danger: bool = False


_CSS = """
$NAME { align: center middle; background: $background 60%; }
$NAME > Vertical {
    width: 84; max-width: 94%; height: auto; max-height: 90%; padding: 0 1;
    border: round $accent; border-title-color: $accent; border-title-style: bold; background: $background;
}
$NAME OptionList {
    height: auto; max-height: 24; border: none; padding: 0; background: $background; scrollbar-size-vertical: 1;
}
$NAME .text { width: 100%; height: auto; padding: 0 1; }
$NAME .dim { color: $text-muted; }
$NAME .hint { width: 100%; height: auto; color: $text-muted; padding: 0 1; }
$NAME Horizontal { height: auto; align-horizontal: right; }
$NAME Button { margin: 0 0 0 2; }
"""


T = TypeVar("T")


class Dialog(ModalScreen[T | None], Generic[T]):
    """A frame in the middle. Its keys are the table's actions of its scope, each a method `action_ID`.

    They are Textual's bindings, so that a field or a list that has the focus goes first.
    """

    scope: ClassVar = ""

    def __init_subclass__(cls, scope: str = "", **options: Any) -> None:
        if scope:
            cls.scope = scope
            cls.BINDINGS = [
                Binding(
                    ",".join(action.keys),
                    "leave" if action.id == scope else action.id.replace("-", "_"),
                    show=False,
                    id=action.id,
                )
                for action in ACTIONS
                if scope in action.scope and action.keys
            ]
        super().__init_subclass__(**options)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Whether the mode allows it."""
        action_id = action.replace("_", "-")
        return action_id not in BY_ID or self.deck.keymap.allows(action_id)

    @property
    def deck(self) -> Deck:
        """The deck."""
        return deck_of(self.app)

    def action_leave(self) -> None:
        """No answer."""
        self.dismiss(None)

    action_close = action_leave

    def action_help(self) -> None:
        """The keys of this dialog."""
        self.deck.perform("help", "")

    def action_copy_text(self) -> None:
        """Ctrl+C; where a page is read, `copy` too."""
        self.deck.copy_selection()

    def action_copy(self) -> None:
        """What is selected."""
        self.action_copy_text()

    def action_choose(self) -> None:
        """What is highlighted in the list."""
        self.query_one(OptionList).action_select()

    def action_down(self) -> None:
        """The row below, in a list or a page."""
        self._move(1)

    def action_up(self) -> None:
        """The row above, in a list or a page."""
        self._move(-1)

    def _move(self, rows: int) -> None:
        if not self.query(OptionList):
            self.query_one(VerticalScroll).scroll_relative(y=rows, animate=False)
        elif rows > 0:
            self.query_one(OptionList).action_cursor_down()
        else:
            self.query_one(OptionList).action_cursor_up()

    def command(self, line: str) -> str:
        """A command; where it is longer than a row of the dialog, its later rows are indented."""
        width = min(84, int(self.app.size.width * 0.94)) - 6
        rows = wrap(
            f"$ {bare(line)}",
            width,
            initial_indent="  ",
            subsequent_indent="    ",
            break_long_words=False,
            break_on_hyphens=False,
        )
        return "\n".join(rows)


class Menu(Dialog[str], scope=MENU):
    """Choices, each with the command below it. The answer is the chosen one's id."""

    DEFAULT_CSS = _CSS.replace("$NAME", "Menu")

    def __init__(self, title: str, choices: Sequence[Choice]) -> None:
        super().__init__()
        self._title = title
        self._choices = choices

    def compose(self) -> ComposeResult:
        """The list."""
        with self.frame("{choose} chooses, {leave} leaves"):
            yield self.options()

    def frame(self, subtitle: str) -> Vertical:
        """The frame with its titles."""
        frame = Vertical()
        frame.border_title = Content(self._title)
        frame.border_subtitle = Content(self.deck.keymap.tell(subtitle))
        return frame

    def options(self) -> OptionList:
        """The choices."""
        return OptionList(*(Option(self._prompt(choice), choice.id) for choice in self._choices), markup=False)

    def _prompt(self, choice: Choice) -> Content:
        parts = [Content.styled(bare(choice.title), "bold $error" if choice.danger else "bold")]
        if choice.note:
            parts.append(Content.styled(f"  {bare(choice.note)}", "$text-muted"))
        for line in choice.lines:
            parts.append(Content.styled(f"\n{self.command(line)}", "$primary"))
        return Content.assemble(*parts)

    def on_option_list_option_selected(self, message: OptionList.OptionSelected) -> None:
        """Enter or a click."""
        self.dismiss(message.option_id)


class Ask(Dialog[bool], scope=ASK):
    """A question before something is destroyed. No is the default."""

    DEFAULT_CSS = _CSS.replace("$NAME", "Ask")

    def __init__(self, question: str, lines: Sequence[str], note: str = "", yes: str = "Yes") -> None:
        super().__init__()
        self._question = question
        self._lines = lines
        self._note = note
        self._yes = yes

    def compose(self) -> ComposeResult:
        """Question, commands, buttons."""
        with Vertical() as frame:
            frame.border_title = Content(bare(self._question))
            if self._note:
                yield Label(Content(bare(self._note)), classes="text")
            for line in self._lines:
                yield Label(Content.styled(self.command(line), "$primary"))
            with Horizontal():
                tell = self.deck.keymap.tell
                yield Button(f"{self._yes} ({tell('{yes}')})", id="yes", variant="error", compact=True)
                yield Button(tell("No ({no})"), id="no", compact=True)

    def on_mount(self) -> None:
        """No is the default."""
        self.query_one("#no", Button).focus()

    def action_yes(self) -> None:
        """Yes."""
        self.dismiss(True)

    def action_no(self) -> None:
        """No."""
        self.dismiss(False)

    def action_left(self) -> None:
        """The other button."""
        self.focus_next()

    action_right = action_left

    def on_button_pressed(self, message: Button.Pressed) -> None:
        """The answer."""
        self.dismiss(message.button.id == "yes")


class AskText(Dialog[str], scope=TEXT):
    """Asks for a text."""

    DEFAULT_CSS = _CSS.replace("$NAME", "AskText") + "AskText Input { border: none; height: 1; background: $panel; }"

    def __init__(self, question: str, value: str, note: str = "") -> None:
        super().__init__()
        self._question = question
        self._value = value
        self._note = note

    def compose(self) -> ComposeResult:
        """Question and field."""
        with Vertical() as frame:
            frame.border_title = Content(bare(self._question))
            yield Input(self._value, compact=True)
            yield Label(
                Content(bare(self._note) or self.deck.keymap.tell("Enter takes it, {leave} leaves")), classes="hint"
            )

    def on_input_submitted(self, message: Input.Submitted) -> None:
        """Enter."""
        self.dismiss(message.value)
