"""What a service was given and what runs in it: settings, ports, mounts, processes, the raw record."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import re
from typing import TYPE_CHECKING, ClassVar, cast

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Label

from tui.deck import usecases
from tui.deck.commands import FAILURES
from tui.deck.screens.dialogs import Dialog
from tui.engine.interface import State
from tui.text import bare
from tui.watch.live import Pane

if TYPE_CHECKING:
    from tui.deck.app import DeckApp

_SECRET = re.compile(r"pass|secret|token|credential|private|api_?key|access_?key|auth", re.IGNORECASE)
# A password inside an address.
_IN_URL = re.compile(r"(://[^/:@\s]+:)[^@/\s]+(@)")
MASK = "••••••••"


def masked(name: str, value: str) -> str:
    """A setting's value without what looks like a secret."""
    return MASK if value and _SECRET.search(name) else _IN_URL.sub(rf"\g<1>{MASK}\g<2>", value)


class InspectScreen(Dialog[None]):
    """Everything that is known of a pane's service, in one page that scrolls."""

    DEFAULT_CSS = """
    InspectScreen { align: center middle; background: $background 60%; }
    InspectScreen > Vertical {
        width: 96%; height: 94%; padding: 0 1;
        border: round $accent; border-title-color: $accent; border-title-style: bold; background: $background;
    }
    InspectScreen VerticalScroll { height: 1fr; scrollbar-size-vertical: 1; }
    InspectScreen Label { width: 100%; }
    """
    BINDINGS: ClassVar = [
        Binding("q,i", "dismiss(None)", show=False),
        Binding("V", "secrets", show=False),
        Binding("j", "scroll_page(1)", show=False),
        Binding("k", "scroll_page(-1)", show=False),
    ]

    def __init__(self, pane: Pane) -> None:
        super().__init__()
        self._pane = pane
        self._processes = "asking ..."
        self.secrets_shown = False
        self._asking: asyncio.Task[None] | None = None

    def compose(self) -> ComposeResult:
        """One page."""
        with Vertical() as frame:
            frame.border_title = Content(bare(self._pane.name))
            frame.border_subtitle = "V shows or hides secrets, Esc closes"
            with VerticalScroll():
                yield Label(self._page())

    def on_mount(self) -> None:
        """The processes are asked beside the screen."""
        self._asking = asyncio.create_task(self._ask(), name="inspect-processes")
        self.query_one(VerticalScroll).focus()

    async def on_unmount(self) -> None:
        """Nothing goes on."""
        if self._asking is not None:
            self._asking.cancel()
            await asyncio.gather(self._asking, return_exceptions=True)

    async def _ask(self) -> None:
        ready = cast("DeckApp", self.app).desk.ready
        replica = self._pane.replica
        if ready is None or replica is None or replica.state is not State.RUNNING:
            self._processes = "it is not running"
        elif self._pane.is_run:
            self._processes = "of a run they cannot be asked"
        else:
            try:
                self._processes = await usecases.processes(ready, replica.service)
            except FAILURES as error:
                self._processes = str(error)
        self.query_one(Label).update(self._page())

    def action_secrets(self) -> None:
        """Shows or hides secrets."""
        self.toggle_secrets()

    def toggle_secrets(self) -> None:
        """Shows or hides secrets."""
        self.secrets_shown = not self.secrets_shown
        self.query_one(Label).update(self._page())

    def action_scroll_page(self, rows: int) -> None:
        """Scrolls."""
        self.query_one(VerticalScroll).scroll_relative(y=3 * rows, animate=False)

    def _page(self) -> Content:
        pane, service = self._pane, self._pane.service
        replica = pane.replica
        parts: list[Content] = []

        def section(title: str, rows: list[tuple[str, str]]) -> None:
            parts.append(Content.styled(title, "bold $accent"))
            wide = min(40, max((len(name) for name, _ in rows), default=0))
            for name, value in rows or [("", "none")]:
                label = Content.styled(f"  {bare(name):<{wide}}  ", "$text-muted")
                parts.append(Content.assemble(label, Content(bare(value))))
            parts.append(Content(""))

        if replica is not None:
            section(
                "Replica",
                [
                    ("container", replica.name),
                    ("id", replica.id),
                    ("image", replica.image),
                    ("state", f"{replica.state}, health {replica.health}"),
                    ("command", " ".join(replica.command) or "-"),
                    ("addresses", ", ".join(replica.addresses) or "-"),
                ],
            )
        if pane.links:
            section("Links", list(pane.links))
        if service is not None:
            values = [
                (name, value if self.secrets_shown else masked(name, value))
                for name, value in sorted(service.environment.items())
            ]
            section("Environment", values)
            ports = replica.ports if replica is not None and replica.ports else service.ports
            section("Ports", [(str(port.target), f"{port.host or '*'}:{port.published or 'any'}") for port in ports])
            section(
                "Mounts",
                [
                    (mount.target, f"{mount.kind} {mount.source}{' (read only)' if mount.read_only else ''}")
                    for mount in service.mounts
                ],
            )
        section("Processes", [("", line) for line in self._processes.splitlines()[:200]])
        section("Record", [("", line) for line in self._record().splitlines()])
        return Content("\n").join(parts)

    def _record(self) -> str:
        values: dict[str, object] = {}
        if self._pane.replica is not None:
            values["replica"] = dataclasses.asdict(
                dataclasses.replace(self._pane.replica, labels=dict(self._pane.replica.labels))
            )
        if self._pane.service is not None:
            service = self._pane.service
            environment = {
                name: value if self.secrets_shown else masked(name, value)
                for name, value in service.environment.items()
            }
            values["service"] = {**dataclasses.asdict(service), "environment": environment}
        return json.dumps(values, indent=2, default=str)
