"""The pages of a service, with the login that they ask for: hidden until a key shows it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding
from textual.content import Content
from textual.widgets import Label

from tui.deck.screens.dialogs import Choice, Menu
from tui.text import bare
from tui.watch.roles.kind import MASK, Login


class OpenMenu(Menu):
    """Pages to choose from. `V` shows the password, `y` copies it."""

    BINDINGS: ClassVar = [Binding("V", "secrets", show=False), Binding("y", "copy_password", show=False)]

    def __init__(
        self, title: str, choices: Sequence[Choice], login: Login, copy: Callable[[str], Awaitable[None]]
    ) -> None:
        super().__init__(title, choices)
        self._login = login
        self._copy = copy
        self._shown = False

    def compose(self) -> ComposeResult:
        """The pages, the login below them."""
        with self.frame("Enter opens, V shows the password, y copies it, Esc leaves"):
            yield self.options()
            yield Label(self._line(), classes="text", id="login")

    def action_secrets(self) -> None:
        """Shows or hides the password."""
        self._shown = not self._shown
        self.query_one("#login", Label).update(self._line())

    async def action_copy_password(self) -> None:
        """Copies the password."""
        await self._copy(self._login.password)

    def _line(self) -> Content:
        password = bare(self._login.password) if self._shown else MASK
        return Content.assemble(
            Content.styled("login: ", "$text-muted"), Content(f"{bare(self._login.user)} {password}")
        )
