"""The pages of a service, with the login that they ask for: hidden until a key shows it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Label

from tui.deck.actions import LOGIN
from tui.deck.screens.dialogs import Choice, Menu
from tui.text import bare
from tui.watch.roles.kind import MASK, Login


class OpenMenu(Menu, scope=LOGIN):
    """Pages to choose from; keys show or copy the password."""

    def __init__(
        self, title: str, choices: Sequence[Choice], login: Login, copy: Callable[[str], Awaitable[None]]
    ) -> None:
        super().__init__(title, choices)
        self._login = login
        self._copy = copy
        self._shown = False

    def compose(self) -> ComposeResult:
        """The pages, the login below them."""
        with self.frame("{choose} opens, {secrets} shows the password, {copy} copies it, {leave} leaves"):
            yield self.options()
            yield Label(self._line(), classes="text", id="login")

    def action_secrets(self) -> None:
        """Shows or hides the password."""
        self._shown = not self._shown
        self.query_one("#login", Label).update(self._line())

    def action_copy(self) -> None:
        """Copies the password."""
        self.run_worker(self._copy(self._login.password))

    def _line(self) -> Content:
        password = bare(self._login.password) if self._shown else MASK
        return Content.assemble(
            Content.styled("login: ", "$text-muted"), Content(f"{bare(self._login.user)} {password}")
        )
