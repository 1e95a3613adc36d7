"""A service's pane: a card with gauges, history and newest log lines, or two rows where there is little room."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from rich.style import Style
from textual import events
from textual.message import Message
from textual.strip import Strip

from tui.deck import words
from tui.deck.desk import RunView
from tui.deck.draw import Row, fit, gauge, graph
from tui.deck.facts import Facts, facts, top_of
from tui.deck.widgets.newest import newest
from tui.deck.widgets.rows import Rows
from tui.jobs.kinds import kind_of
from tui.jobs.progress import RunProgress
from tui.text import bare
from tui.watch.live import Pane
from tui.watch.ready import Step
from tui.watch.words import UNKNOWN as UNKNOWN_LINE

# From this height (rows) a pane is a card with a frame; below it is two rows or one.
CARD = 6
# From this height the graphs stand beside the gauges as one block.
BLOCK = 13
# Cells of a stage with its gauge.
STAGE = 28
# Cells before a graph for what a full column of it is.
SCALE = 10


class PaneView(Rows, can_focus=True):
    """One pane. It is given its pane on each tick, because the watch may replace it."""

    class Chosen(Message):
        """The pane was clicked (`zoom`: twice)."""

        def __init__(self, key: str, zoom: bool) -> None:
            super().__init__()
            self.key = key
            self.zoom = zoom

    def __init__(self, pane: Pane, number: int, now: Callable[[], datetime]) -> None:
        super().__init__()
        self.pane = pane
        self.number = number
        self.marked = False
        self.step: Step | None = None
        self.run: RunView | None = None
        self._seen: object = None
        self._now = now

    def tick(self) -> None:
        """Draws what is new, if anything is."""
        pane, log = self.pane, self.pane.log
        minute = int(self._now().timestamp() // 5)
        seen = (
            *(id(pane), pane.version, pane.samples.total, log.total, log.version, self.has_focus, self.marked),
            *(
                self.number,
                minute,
                pane.note,
                self.step,
                self.step.told if self.step else "",
                self.run.version if self.run else 0,
            ),
        )
        if seen != self._seen:
            self._seen = seen
            self.sync()

    def on_focus(self) -> None:
        """The frame shows the focus."""
        self.tick()

    def on_blur(self) -> None:
        """The frame shows that the focus is elsewhere."""
        self.tick()

    def on_click(self, event: events.Click) -> None:
        """Once chooses, twice zooms."""
        self.post_message(self.Chosen(self.pane.key, event.chain > 1))

    def build(self, width: int, height: int) -> list[Strip]:
        """A card, or rows."""
        found = facts(self.pane, self._now(), self.step)
        return self._card(found, width, height) if height >= CARD else self._rows_of(found, width, height)

    # the card

    def _card(self, found: Facts, width: int, height: int) -> list[Strip]:
        style = self.palette
        line = style.accent if self.has_focus else style.line
        inner = width - 4
        across, down = ("━", "┃") if self.has_focus else ("─", "│")
        corners = "┏┓┗┛" if self.has_focus else "╭╮╰╯"
        content: list[Row] = []
        if self.pane.is_run:
            content += self._run_rows(found, inner)
        if height >= BLOCK:
            content += self._block(found, inner, 4)
        else:
            content += self._lines(found, inner)
        extra = self._extra(found, inner)
        if extra is not None:
            content.append(extra)
        room = height - 2
        content = content[:room]
        content += newest(self.pane, style, inner, room - len(content))
        strips = [self._top(found, width, corners[:2], across, line)]
        for row in content:
            row.fill(style.text)
            whole = Row(width).add(f"{down} ", line)
            strips.append(_join(whole, row, f" {down}", line, width))
        strips.append(Row(width).add(corners[2] + across * (width - 2) + corners[3], line).strip(line))
        return strips

    def _top(self, found: Facts, width: int, corners: str, across: str, line: Style) -> Strip:
        style = self.palette
        row = Row(width).add(f"{corners[0]}{across}", line)
        mark = "■" if self.marked else " "
        row.add(f"{mark}{self.number} " if self.number < 10 else f"{mark} ", style.accent if self.marked else style.dim)
        row.add(found.name, style.title if self.has_focus else style.strong)
        row.add(f"  {found.sign} {found.word} ", style.named(found.style))
        right = f" {f'{found.took}, ' if found.took else ''}{found.up}" if found.up != words.UNKNOWN else ""
        if found.restarts:
            right += f", {words.count(found.restarts, 'restart')}"
        right = f"{right} " if right else ""
        row.fill(line, len(right) + 2, across)
        row.add(right, style.dim).add(f"{across}{corners[1]}", line)
        return row.strip(line)

    def _lines(self, found: Facts, width: int) -> list[Row]:
        """CPU, memory and rates, a row each; the graphs at the right of the gauges."""
        room = width - 35
        rows = []
        cpu, memory, _ = self._graphs(room, 1)
        for name, lines, color in (("cpu", cpu, "first"), ("mem", memory, "second")):
            row = Row(width)
            self._gauge(row, name, found)
            row.add("  ", self.palette.text).add(lines[0], self.palette.named(color))
            rows.append(row)
        rows.append(self._rates(found, width))
        return rows

    def _block(self, found: Facts, width: int, height: int) -> list[Row]:
        """Gauges and rates below each other, two graphs of the whole height beside them."""
        style = self.palette
        left = 34
        each = (width - left - 4) // 2
        scale = SCALE if each >= 3 * SCALE and self.pane.samples.total else 0
        each -= scale
        cpu, memory, tops = self._graphs(each, height)
        names = (("cpu", words.percent(tops[0])), ("mem", words.size(tops[1])))
        rows = []
        net_in, net_out, disk_in, disk_out = found.rates
        for index in range(height):
            row = Row(width)
            if index < 2:
                self._gauge(row, ("cpu", "mem")[index], found)
            elif index == 2:
                row.add("net ", style.dim).add(f"↓ {words.rate(net_in)}  ↑ {words.rate(net_out)}", style.text)
            elif index == 3:
                row.add("disk", style.dim).add(f" r {words.rate(disk_in)}  w {words.rate(disk_out)}", style.text)
            elif index == 4:
                row.add(words.UNKNOWN if found.processes is None else str(found.processes), style.text)
                row.add(" processes", style.dim)
            row = _clip(row, left, width, style.text)
            for lines, (name, top), color in zip((cpu, memory), names, (style.first, style.second), strict=True):
                # What a full column is; below it whose graph it is.
                label = top if index == 0 else name if index == 1 else ""
                row.add("  ", style.text)
                if scale:
                    row.add(label, style.dim, scale - 1, right=True).add(" ", style.text)
                row.add(lines[index], color, each)
            rows.append(row)
        return rows

    def _gauge(self, row: Row, name: str, found: Facts) -> None:
        style = self.palette
        if name == "cpu":
            value, fraction = words.percent(found.cpu), found.cpu_fraction
            limit = words.count(found.cores, "core") if found.cores else words.UNKNOWN
            color = style.first
        else:
            value, fraction = words.size(found.memory), found.memory_fraction
            limit, color = words.size(found.limit), style.second
        if fraction is not None and fraction > 0.9:
            color = style.bad
        on, off = gauge(fraction, 10)
        row.add(f"{name} ", style.dim).add(value, style.strong, 9, right=True).add(" ", style.text)
        row.add(on, color).add(off, style.line).add(f" {limit}", style.dim, 9)

    def _graphs(self, width: int, height: int) -> tuple[list[str], list[str], tuple[float, float]]:
        """CPU and memory, and what a full column of each is: percent, bytes. Empty where there is too little room."""
        if width < 6:
            return [""] * height, [""] * height, (0.0, 0.0)
        samples = self.pane.samples
        cpu = samples.cpu(2 * width)
        memory = [None if value is None else float(value) for value in samples.memory(2 * width)]
        limit = samples.latest.memory_limit if samples.latest else None
        # Against the limit a small service would be a flat line: the graph is against twice its own highest.
        highest = top_of(memory, 1.0)
        tops = top_of(cpu, 20.0), min(2 * highest, float(limit)) if limit else 2 * highest
        return (
            graph(cpu, samples.total, width, height, tops[0]),
            graph(memory, samples.total, width, height, tops[1]),
            tops,
        )

    def _rates(self, found: Facts, width: int) -> Row:
        style = self.palette
        net_in, net_out, disk_in, disk_out = found.rates
        row = Row(width).add("net ", style.dim)
        row.add(f"↓ {words.rate(net_in)}", style.text, 13).add(f"↑ {words.rate(net_out)}", style.text, 14)
        if width >= 60:
            row.add("disk ", style.dim)
            row.add(f"r {words.rate(disk_in)}", style.text, 12).add(f"w {words.rate(disk_out)}", style.text, 13)
        processes = words.UNKNOWN if found.processes is None else str(found.processes)
        return row.add(processes, style.text).add(" procs", style.dim)

    def _extra(self, found: Facts, width: int) -> Row | None:
        """Why it is not well, else what it says of its work and where its page is."""
        style = self.palette
        if self.step is not None:
            return Row(width).add(found.note, style.good if self.step.ready else style.warn)
        if found.note and not self.pane.well:
            return Row(width).add(found.note, style.warn if found.style == "warn" else style.bad)
        if self.pane.word == "down":
            return Row(width).add("u starts it, U the whole stack", style.dim)
        if not found.line and not found.link:
            return None
        row = Row(width)
        if found.line:
            row.add(f"{found.line}  ", style.dim if found.line.startswith(UNKNOWN_LINE) else style.good)
        return row.add(found.link, style.link) if row.left >= min(len(found.link), 20) else row

    def _run_rows(self, found: Facts, width: int) -> list[Row]:
        """A job's progress, a row a stage, or why it waits, or how it ended."""
        style, run = self.palette, self.run
        if run is None:
            return []
        if run.ended is not None:
            verdict = run.ended.verdict
            row = Row(width).add("✓ " if verdict.ok else "✗ ", style.good if verdict.ok else style.bad)
            row.add(f"{bare(verdict.text)}  {words.took(run.ended.seconds)}", style.strong)
            return [row]
        if run.waiting is not None:
            return [Row(width).add(f"waits: {bare(run.waiting.text)}", style.warn)]
        if run.progress is None:
            starts = self.pane.replica is not None and kind_of(self.pane.replica).has_driver
            return [Row(width).add("the driver starts", style.dim)] if starts else []
        return [self._progress(run.progress, width)]

    def _progress(self, progress: RunProgress, width: int) -> Row:
        style = self.palette
        row = Row(width)
        row.add(
            fit(bare(", ".join(progress.steps)) or f"{progress.jobs_done} Spark jobs done", width // 3), style.strong
        )
        for stage in progress.stages[:2]:
            if row.left < STAGE:
                break
            on, off = gauge(stage.fraction, 10)
            row.add(f"  stage {stage.stage_id} ", style.dim).add(on, style.good).add(off, style.line)
            row.add(f" {stage.done}/{stage.total}", style.text)
            if stage.failed:
                row.add(f" {stage.failed} failed", style.bad)
            if stage.eta_seconds is not None:
                row.add(f" {words.took(stage.eta_seconds)} left", style.dim)
            elif stage.overdue:
                row.add(" longer than expected", style.warn)
        return row

    # the rows

    def _rows_of(self, found: Facts, width: int, height: int) -> list[Strip]:
        style = self.palette
        row = Row(width)
        row.add("▌" if self.has_focus else "■" if self.marked else " ", style.accent)
        row.add(f"{self.number} " if self.number < 10 else "  ", style.dim)
        row.add(f"{found.sign} ", style.named(found.style))
        row.add(found.name, style.title if self.has_focus else style.strong, max(14, min(30, width // 4)))
        row.add(f" {found.word}", style.named(found.style), 15)
        row.add(words.percent(found.cpu), style.strong, 8, right=True)
        room = width - row.used - 33
        if room >= 6:
            row.add(" ", style.text).add(self._graphs(room, 1)[0][0], style.first, room)
        row.add(words.size(found.memory), style.strong, 9, right=True).add(" ", style.text)
        on, off = gauge(found.memory_fraction, 6)
        row.add(on, style.second).add(off, style.line)
        row.add(f" {found.took or found.up.removeprefix('up ')}", style.dim, 13, right=True)
        rows = [row]
        if height > 1:
            below = Row(width).add("▌" if self.has_focus else " ", style.accent).add("    ", style.text)
            inner: Row | None
            if self.pane.is_run and self.run:
                inner = next(iter(self._run_rows(found, width - 5)), None)
            elif found.note and not self.pane.well:
                inner = Row(width - 5).add(found.note, style.warn if found.style == "warn" else style.bad)
            else:
                inner = None
            if inner is not None:
                rows.append(below.join(inner))
            for line in newest(self.pane, style, width - 5, height - len(rows)):
                below = Row(width).add("▌" if self.has_focus else " ", style.accent).add("    ", style.text)
                rows.append(below.join(line))
        return [row.strip(style.text) for row in rows]


def _join(row: Row, content: Row, end: str, line: Style, width: int) -> Strip:
    return row.join(content).add(end, line).strip(line)


def _clip(row: Row, used: int, width: int, ground: Style) -> Row:
    """A row with its content in the first `used` cells."""
    return Row(width).join(Row(used).join(row).fill(ground))
