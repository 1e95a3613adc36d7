"""What a service was given and what runs in it: settings, ports, mounts, processes, the raw record."""

from __future__ import annotations

import asyncio
import dataclasses
import json
from collections.abc import Mapping
from typing import Any

from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Label

from tui.deck.actions import INSPECT
from tui.deck.commands import FAILURES
from tui.deck.screens.dialogs import Dialog
from tui.engine.interface import State
from tui.stack.secrets import MASK, masked, masked_record
from tui.text import bare
from tui.watch.live import Pane

# A record is untrusted: what is longer, nobody reads here.
RECORD_LINES, RECORD_COLUMNS = 2000, 1000


def _columns(rows: list[list[str]]) -> list[str]:
    """Rows as lines, their cells below one another; the last one is as long as it is."""
    wide = [max(map(len, cells)) for cells in zip(*rows, strict=False)]
    wide[-1:] = [0]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, wide, strict=False)) for row in rows]


class InspectScreen(Dialog[None], scope=INSPECT):
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

    def __init__(self, pane: Pane) -> None:
        super().__init__()
        self._pane = pane
        self._processes = ["asking ..."]
        self._record: Mapping[str, Any] | None = None
        self._no_record = "asking ..."
        self.secrets_shown = False
        self._asking: asyncio.Task[None] | None = None

    def compose(self) -> ComposeResult:
        """One page."""
        with Vertical() as frame:
            frame.border_title = Content(bare(self._pane.name))
            frame.border_subtitle = Content(self.deck.keymap.tell("{secrets} shows or hides secrets, {leave} closes"))
            with VerticalScroll():
                yield Label(self._page())

    def on_mount(self) -> None:
        """The engine is asked beside the screen."""
        self._asking = asyncio.create_task(self._ask(), name="inspect-ask")
        self.query_one(VerticalScroll).focus()

    async def on_unmount(self) -> None:
        """Nothing goes on."""
        if self._asking is not None:
            self._asking.cancel()
            await asyncio.gather(self._asking, return_exceptions=True)

    async def _ask(self) -> None:
        ready = self.deck.desk.ready
        replica = self._pane.replica
        if ready is None or replica is None:
            self._processes, self._no_record = ["it is not running"], "there is none"
            self._show()
            return
        try:
            self._record = await ready.engine.record(replica.id)
        except FAILURES as error:
            self._no_record = str(error)
        self._show()
        try:
            running = replica.state is State.RUNNING
            self._processes = _columns(await ready.engine.processes(replica.id)) if running else ["it is not running"]
        except FAILURES as error:
            self._processes = [str(error)]
        self._show()

    def _show(self) -> None:
        self.query_one(Label).update(self._page())

    def action_secrets(self) -> None:
        """Shows or hides secrets."""
        self.secrets_shown = not self.secrets_shown
        self._show()

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
                    ("command", " ".join(self._safe(list(replica.command))) or "-"),
                    ("addresses", ", ".join(replica.addresses) or "-"),
                ],
            )
        if pane.links:
            section("Links", [(name, self._safe(url)) for name, url in pane.links])
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
        section("Processes", [("", line[:RECORD_COLUMNS]) for line in self._safe(self._processes)[:200]])
        if service is not None:
            # As the compose project has it resolved, beside what the engine made of it.
            section("Service", self._raw(dataclasses.asdict(service)))
        section("Record", [("", self._no_record)] if self._record is None else self._raw(self._record))
        return Content("\n").join(parts)

    def _safe(self, value: Any) -> Any:
        return value if self.secrets_shown else masked_record(value)

    def _raw(self, value: Any) -> list[tuple[str, str]]:
        # Escaped, but for the mask: what is strange in a record shall be seen.
        lines = json.dumps(self._safe(value), indent=2, default=str).replace(json.dumps(MASK)[1:-1], MASK).splitlines()
        left_out = len(lines) - RECORD_LINES
        shown = [line[:RECORD_COLUMNS] for line in lines[:RECORD_LINES]]
        return [("", line) for line in [*shown, *([f"... {left_out} more lines"] if left_out > 0 else [])]]
