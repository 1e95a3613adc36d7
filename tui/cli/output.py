"""How the command line speaks: results on stdout, everything on the way on stderr; colours only in a terminal."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections.abc import AsyncGenerator, Iterable, Sequence
from datetime import datetime

from rich.console import Console
from rich.status import Status
from rich.table import Table
from rich.text import Text

from tui.actions.start import Note, Phase, StartUpdate
from tui.clients.text import plain
from tui.engine.interface import Progress
from tui.watch.ready import Step
from tui.watch.words import took

# A cell's longest text: the arguments of a run, a mounted folder.
CELL = 1000
# A pipe has no width to cut a table to.
out = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else 1000)
err = Console(stderr=True, highlight=False, soft_wrap=True)


def drop_stdout() -> None:
    """Points stdout at nothing, so that the interpreter does not complain about a closed pipe at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def say(text: str = "", style: str = "") -> None:
    """A line of the result."""
    out.print(Text(text, style=style))


def note(text: str, style: str = "dim") -> None:
    """A line on the way."""
    err.print(Text(text, style=style))


def error(text: str) -> None:
    """What went wrong, for the user."""
    for index, line in enumerate(text.splitlines() or [""]):
        mark = Text("error: ", style="bold red") if index == 0 else Text("       ")
        err.print(mark + Text(plain(line, 2000)))


def print_json(value: object) -> None:
    """A result for scripts: one JSON document; times as ISO 8601."""
    print(
        json.dumps(
            value,
            indent=2,
            default=lambda item: item.isoformat() if isinstance(item, datetime) else str(item),
        )
    )


def table(*columns: str, rows: Iterable[Sequence[str | Text]], right: Iterable[str] = ()) -> Table:
    """A plain table; nothing in a cell is read as markup. Columns in `right` are aligned right.

    Where the terminal is too narrow, the last column gives way.
    """
    made = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    aligned = set(right)
    cells = [[cell if isinstance(cell, Text) else Text(plain(cell, CELL)) for cell in row] for row in rows]
    for index, column in enumerate(columns):
        widest = max((row[index].cell_len for row in cells), default=0)
        least = max(widest, len(column)) if index < len(columns) - 1 else None
        made.add_column(column, justify="right" if column in aligned else "left", no_wrap=True, min_width=least)
    for row in cells:
        made.add_row(*row)
    return made


def print_table(made: Table) -> None:
    """Prints a table."""
    out.print(made, soft_wrap=False)


class _Line:
    """The line that changes: the phase, and who waits for whom and how long, else the newest progress."""

    def __init__(self, phase: str = "") -> None:
        self._phase = phase
        self._waits: dict[str, Step] = {}
        self.text = ""

    def step(self, step: Step) -> None:
        """Where a service stands."""
        self._waits.pop(step.service, None)
        if step.waits:
            self._waits[step.service] = step

    def __rich__(self) -> Text:
        # Asked for with every picture of the spinner, so that the time goes on.
        waits = [f"{step.service} {step.told}" for step in self._waits.values()]
        width = max(20, err.width - len(self._phase) - 12)
        text = (
            plain(waits[0] + (f" (+{len(waits) - 1})" if len(waits) > 1 else ""), width) if waits else self.text[:width]
        )
        return Text.assemble(self._phase, (f"  {text}", "dim"))


class Teller:
    """Tells a long action: one line of it that changes in a terminal, plain lines elsewhere."""

    def __init__(self) -> None:
        self._status: Status | None = None
        self._line = _Line()
        self._phase = ""
        self._told: dict[str, str] = {}
        self._began = time.monotonic()

    def __enter__(self) -> Teller:
        return self

    def __exit__(self, *exc: object) -> None:
        phase = self._phase
        self._end(done=exc[0] is None)
        if phase and isinstance(exc[1], asyncio.CancelledError):
            note(f"Stopped at: {phase}. What was begun stays as it is; the same command goes on with it.")

    def tell(self, update: StartUpdate) -> None:
        """Shows one update."""
        match update:
            case Phase(title):
                self._end(done=True)
                self._phase, self._began = title, time.monotonic()
                self._told = {}
                if err.is_terminal:
                    self._line = _Line(title)
                    self._status = err.status(self._line)
                    self._status.start()
                else:
                    note(f"{title} ...")
            case Note(text):
                note(f"  {text}")
            case Progress(text):
                text = plain(text, 200)
                self._line.text = text
                if self._status is None and text.strip():
                    note(f"  {text}")
            case Step():
                self._line.step(update)
                if err.is_terminal and self._told.get(update.service) == update.word:
                    # Said again for those who see no line that goes on.
                    return
                self._told[update.service] = update.word
                sign, style = ("✓", "green") if update.ready else ("✗", "red") if update.failed else ("·", "dim")
                err.print(
                    Text.assemble(
                        (f"  {sign} ", style),
                        f"{update.service:20s} {plain(update.told, 200)}",
                        (f"  {update.seconds:.1f} s", "dim"),
                    )
                )

    def _end(self, *, done: bool) -> None:
        if self._status is not None:
            self._status.stop()
            self._status = None
        if self._phase and done and err.is_terminal:
            elapsed = took(time.monotonic() - self._began)
            err.print(Text.assemble(("✓ ", "green"), self._phase, (f"  {elapsed}", "dim")))
        self._phase = ""


async def tell_all(updates: AsyncGenerator[StartUpdate]) -> None:
    """Tells an action from its beginning to its end."""
    with Teller() as teller:
        async for update in updates:
            teller.tell(update)


async def tell_progress(title: str, steps: AsyncGenerator[Progress]) -> None:
    """Tells one engine action under a title."""
    with Teller() as teller:
        teller.tell(Phase(title))
        async for step in steps:
            teller.tell(step)
