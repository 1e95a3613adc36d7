"""The lines above and below: what the whole stack is, and which keys are valid here."""

from __future__ import annotations

import re

from textual import events
from textual.message import Message
from textual.strip import Strip

from tui.deck import words
from tui.deck.actions import Keymap
from tui.deck.commands import Runner
from tui.deck.desk import Desk
from tui.deck.draw import Row, fit
from tui.deck.widgets.rows import Rows
from tui.stack.model import Role
from tui.text import bare
from tui.watch.live import Outage
from tui.watch.words import NOT_REGISTERED

LAST = ("help", "quit")


class Header(Rows):
    """Stack, engine, Spark's own figures, the machine; an outage takes the second line."""

    DEFAULT_CSS = "Header { height: 2; dock: top; }"

    def __init__(self, desk: Desk, *, read_only: bool) -> None:
        super().__init__()
        self._desk = desk
        self._read_only = read_only
        self.place = ""
        """What the screen shows: a service's name, a filter, nothing on the first screen."""

    def build(self, width: int, height: int) -> list[Strip]:
        """Two rows."""
        return [self._first(width), self._second(width)]

    def _first(self, width: int) -> Strip:
        style, desk = self.palette, self._desk
        row = Row(width).add(" ", style.bar).add("◆ ", style.bar_key).add(bare(desk.stack.name), style.bar_strong)
        if self.place:
            row.add(f" › {self.place}", style.bar_key)
        right = self._counts()
        note = "   read only" if self._read_only else ""
        if desk.ready is not None:
            info = desk.ready.engine.info
            why = f", {bare(info.reason)}" if info.reason else ""
            engine = f"   {bare(info.kind)} {bare(info.version)} · {bare(info.endpoint)}{why}"
            # The engine's address gives way to what is counted.
            row.add(fit(engine, max(0, row.left - len(note) - len(right) - 3)), style.bar)
        row.add(note, style.bar_key)
        row.fill(style.bar, len(right) + 1).add(f"{right} ", style.bar_strong)
        return row.strip(style.bar)

    def _counts(self) -> str:
        panes = [pane for pane in self._desk.panes.values() if not pane.is_run]
        well = sum(pane.well for pane in panes)
        active = sum(pane.is_run and pane.is_running for pane in self._desk.shown())
        found = len(self._desk.findings())
        text = f"! {words.count(found, 'finding')} · " if found else ""
        text += f"{well} of {words.count(len(panes), 'service')} well"
        return f"{text} · {words.count(active, 'job')} running" if active else text

    def _second(self, width: int) -> Strip:
        style, desk = self.palette, self._desk
        outage = desk.outage
        if desk.refused:
            return Row(width).add(f" ✗ {bare(' '.join(desk.refused.split()))}", style.banner).strip(style.banner)
        if outage is not None:
            return self._banner(outage, width)
        row = Row(width).add(" ", style.text)
        if desk.ready is None:
            return row.add("asking the engine ...", style.dim).strip(style.text)
        watch = desk.ready.watch
        spark = watch.spark
        has_master = any(pane.role is Role.SPARK_MASTER for pane in watch.panes.values())
        if has_master or spark is not None:
            row.add("spark ", style.dim)
        if spark is None:
            row.add("the master does not answer" if has_master else "", style.dim)
        else:
            alive = len(spark.alive_workers())
            lost = sum(pane.word == NOT_REGISTERED for pane in watch.panes.values())
            row.add(f"{words.count(alive, 'worker')}", style.strong)
            if lost:
                row.add(f" ▲ {lost} not registered", style.bad)
            row.add("  cores ", style.dim).add(f"{spark.cores_used}/{spark.cores}", style.strong)
            row.add("  memory ", style.dim)
            row.add(f"{words.size(spark.memory_used)} of {words.size(spark.memory)}", style.strong)
            waiting = sum(app.state == "WAITING" for app in spark.active)
            if spark.active:
                row.add(f"  {words.count(len(spark.active), 'application')}", style.strong)
            if waiting:
                row.add(f" {waiting} waiting", style.warn)
        host = watch.host
        parts = [f"{desk.ready.engine.info.here} cpu {words.percent(host.cpu_percent)}"]
        if host.memory_used is not None:
            parts.append(f"{words.size(host.memory_used)} of {words.size(host.memory_total)}")
        counted = re.split("[,:]", desk.ready.engine.info.memory_is)[0]
        parts.append(f"cpu in % of one core, memory {counted}")
        # As many as fit whole.
        while parts and len(" · ".join(parts)) > row.left - 3:
            parts.pop()
        text = " · ".join(parts)
        row.fill(style.text, len(text) + 1).add(text, style.dim)
        return row.strip(style.text)

    def _banner(self, outage: Outage, width: int) -> Strip:
        style = self.palette
        seconds = max(0, round((outage.retry_at - self._desk.now()).total_seconds()))
        since = outage.since.astimezone().strftime("%H:%M:%S")
        retry = f"  again in {seconds} s " if seconds else "  trying again "
        row = Row(width).add(" ✗ ", style.banner)
        what = "unknown" if outage.ours else "engine gone"
        row.add(f"{what} since {since}: {' '.join(bare(outage.text).split())}", style.banner, row.left - len(retry))
        return row.add(retry, style.banner).strip(style.banner)


class Footer(Rows):
    """One row: the command that runs, else the keys valid here. A click on a key is the key."""

    DEFAULT_CSS = "Footer { height: 1; dock: bottom; }"

    class Pressed(Message):
        """An action was clicked."""

        def __init__(self, action: str) -> None:
            super().__init__()
            self.action = action

    def __init__(self, keymap: Keymap, runner: Runner, scope: str) -> None:
        super().__init__()
        self._keymap = keymap
        self._runner = runner
        self._scope = scope
        self._spots: list[tuple[int, int, str]] = []

    def build(self, width: int, height: int) -> list[Strip]:
        """The row."""
        style = self.palette
        row = Row(width)
        self._spots = []
        running = self._runner.running
        if running:
            command = running[-1]
            more = f" (+{len(running) - 1})" if len(running) > 1 else ""
            text = f" ▸ {command.line}{more}  {int(command.elapsed)} s  "
            row.add(text, style.bar_key).add(command.last, style.bar, max(0, min(row.left // 2, 60)))
            row.add(" ", style.bar)
        keys = self._keymap.footer(self._scope)
        # The way to all the others is always there.
        last = [item for item in keys if item[1].id in LAST]
        reserved = sum(len(key) + len(action.title) + 3 for key, action in last)
        for key, action in [*(item for item in keys if item not in last), *last]:
            if action.id in LAST:
                reserved = 0
            if len(key) + len(action.title) + 3 > row.left - reserved:
                continue
            start = row.used
            greyed = bool(self._keymap.why_not(action.id))
            row.add(f" {key}", style.dim if greyed else style.bar_key)
            row.add(f" {action.title} ", style.dim if greyed else style.bar)
            self._spots.append((start, row.used, action.id))
        return [row.strip(style.bar)]

    def on_click(self, event: events.Click) -> None:
        """A click on a key's name."""
        for start, end, action in self._spots:
            if start <= event.x < end:
                self.post_message(self.Pressed(action))
