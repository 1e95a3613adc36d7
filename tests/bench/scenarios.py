"""What is measured, each scenario on an engine and an app of its own."""

from __future__ import annotations

import asyncio
import math
import os
import re
import statistics
import sys
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tests.bench.loopback import ask
from tests.bench.terminal import Terminal, Use
from tui.watch.follower import UNSEEN_SECONDS

PROJECT = "bench"
# What tells on the screen that the panes, the gauges (123 MiB) and a log are there.
PAINTED, GAUGES, LINE = r"service-01", r"123(?:\.0)? ?Mi?B?", r"#(\d+)"
# Keys that change something, and what the change is known by.
PANE_KEYS = (("?", "Keys here"), ("\x1b", PAINTED), ("\r", "following"), ("\x1b", PAINTED))
LOG_KEYS = (("k", "paused"), ("G", "following"), ("?", "Keys here"), ("\x1b", "following"))
NAMES = {"\x1b": "Esc", "\r": "Enter"}
PRESSES = 15
HEAD = "| | CPU | memory | writes | keys | lines |\n|---|---|---|---|---|---|"
SETTLE_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Result:
    """A row of the table; None where there is nothing to measure."""

    name: str
    use: Use | None = None
    cpu: float | None = None
    keys: Sequence[tuple[str, float]] = ()
    lines: str = ""
    note: str = ""


class Bench:
    """An engine of `count` containers and the compose project that belongs to it."""

    def __init__(self, folder: Path, count: int, seconds: float, *, distant: bool = False) -> None:
        self.folder = folder
        self.count = count
        self.distant = distant
        """Whether the app reaches the engine over TCP."""
        self.seconds = seconds
        self.socket = folder / "engine.sock"
        self._opened: list[Terminal] = []
        config = folder / "config"
        config.mkdir()
        self.env = {
            **{key: value for key, value in os.environ.items() if key not in ("DOCKER_CONTEXT", "NO_COLOR")},
            "DOCKER_HOST": f"unix://{self.socket}",
            "TERM": "xterm-256color",
            "COLORTERM": "truecolor",
            "XDG_CONFIG_HOME": str(config),
            "XDG_STATE_HOME": str(config),
        }
        services = "".join(f"  service-{number:02}: {{image: bench}}\n" for number in range(1, count + 1))
        (folder / "compose.yaml").write_text(f"name: {PROJECT}\nservices:\n{services}")

    @asynccontextmanager
    async def engine(self) -> AsyncGenerator[None]:
        """Runs the engine; what was opened against it ends with it."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.bench.loopback", str(self.socket), PROJECT, str(self.count))
        )
        try:
            async with asyncio.timeout(10):
                while not self.socket.exists():  # noqa: ASYNC110
                    await asyncio.sleep(0.02)
            if self.distant:
                self.env["DOCKER_HOST"] = f"tcp://127.0.0.1:{Path(f'{self.socket}.port').readlink()}"
            yield
        finally:
            for terminal in self._opened:
                await terminal.close()
            process.terminate()
            await process.wait()
            self.socket.unlink(missing_ok=True)
            Path(f"{self.socket}.port").unlink(missing_ok=True)

    async def open(self, command: Sequence[str] = ()) -> Terminal:
        """Starts the app, or another program."""
        run = (sys.executable, "-c", "from tui.cli.main import run; run()", "--stack", str(self.folder))
        terminal = await Terminal.open(command or run, Path.cwd(), self.env)
        self._opened.append(terminal)
        return terminal

    async def rate(self, lines: float, only: int | None = None) -> None:
        """How many lines a second the first `only` containers write together."""
        await ask(self.socket, "POST", f"/bench/rate?lines={lines}&only={only or self.count}")

    async def written(self) -> list[dict[str, int]]:
        """How many lines each container has written and sent."""
        counts: Any = await ask(self.socket, "GET", "/bench/counts")
        return list(counts)


async def idle(bench: Bench) -> list[Result]:
    """Nothing happens but gauges; and how long the start and the end take."""
    app = await bench.open()
    painted = await app.wait(PROJECT, 20) - app.began
    gauges = await app.wait(GAUGES, 20) - app.began
    # What is not seen costs nothing only after a while.
    await asyncio.sleep(UNSEEN_SECONDS + SETTLE_SECONDS if bench.distant else SETTLE_SECONDS)
    use = await app.use(bench.seconds)
    keys = await press(app, PANE_KEYS, PRESSES)
    took = await app.close("q")
    left = "did not end" if took is None else f"{took:.2f} s"
    note = f"First paint after {painted:.2f} s, first real gauges after {gauges:.2f} s, quitting {left}."
    where = " behind TCP" if bench.distant else ""
    return [Result(f"the deck, {bench.count} containers idle{where}", use, keys=keys, note=note)]


async def one_log(bench: Bench) -> list[Result]:
    """One service writes and its log is open; then the same with many lines behind."""
    app = await bench.open()
    await app.wait(GAUGES, 20)
    await bench.rate(5000, 1)
    app.send("\r")
    await app.wait(LINE)
    await asyncio.sleep(SETTLE_SECONDS)
    results = [await measured(bench, app, "the deck, one open log, 5,000 lines a second")]
    await bench.rate(20_000, 1)
    while (await bench.written())[0]["written"] < 200_000:  # noqa: ASYNC110
        await asyncio.sleep(0.5)
    await bench.rate(5000, 1)
    await asyncio.sleep(SETTLE_SECONDS)
    results.append(await measured(bench, app, "the same, 200,000 lines behind it"))
    results[-1] = replace(results[-1], lines=await last_shown(bench, app))
    await app.close()
    return results


async def all_logs(bench: Bench) -> list[Result]:
    """All services write; first with all panes, then with a log open."""
    app = await bench.open()
    await app.wait(GAUGES, 20)
    await bench.rate(20_000)
    await asyncio.sleep(SETTLE_SECONDS)
    name = "the deck, all services together 20,000 lines a second"
    use = await app.use(bench.seconds)
    panes = Result(name, use, keys=await press(app, PANE_KEYS, PRESSES))
    app.forget()
    app.send("\r")
    await app.wait(LINE)
    opened = await measured(bench, app, f"{name}, a log open")
    opened = replace(opened, lines=await last_shown(bench, app))
    await app.close()
    return [panes, opened]


async def counted(bench: Bench) -> list[Result]:
    """The watch without a screen: what was written, and what is held or counted."""
    from tui.engine.choose import open_engine
    from tui.stack.catalogue import find_stack
    from tui.stack.roles import detect_layout
    from tui.watch.live import StackWatch

    os.environ["DOCKER_HOST"] = bench.env["DOCKER_HOST"]
    stack = find_stack(str(bench.folder), Path.cwd())
    engine = await open_engine(stack)
    project = await engine.project()
    watch = StackWatch(engine, replace(stack, layout=detect_layout(project)), project)
    logs = [pane.log for pane in watch.panes.values()]
    await watch.start()
    while not all(log.total for log in logs):  # noqa: ASYNC110
        await asyncio.sleep(0.1)
    before = sum(entry["written"] for entry in await bench.written()) - sum(log.total for log in logs)
    await bench.rate(20_000)
    began, used = time.perf_counter(), time.process_time()
    await asyncio.sleep(bench.seconds)
    cpu = (time.process_time() - used) / (time.perf_counter() - began) * 100
    await bench.rate(0)
    await asyncio.sleep(1)
    written = sum(entry["written"] for entry in await bench.written()) - before
    held = sum(log.total - log.first for log in logs)
    let_go = sum(log.let_go for log in logs)
    await watch.close()
    await engine.close()
    sign = "=" if written == held + let_go else "≠"
    lines = f"{written:,} offered {sign} {held:,} held + {let_go:,} counted, that load"
    return [Result("its watch alone, 20,000 lines a second", cpu=cpu, lines=lines)]


async def docker_stats(bench: Bench) -> list[Result]:
    """The reference for gauges."""
    app = await bench.open(("docker", "stats"))
    await app.wait("123MiB", 20)
    await asyncio.sleep(SETTLE_SECONDS)
    use = await app.use(bench.seconds)
    await app.close("\x03")
    return [Result(f"`docker stats`, {bench.count} containers", use)]


async def docker_logs(bench: Bench) -> list[Result]:
    """The reference for a log: no search, no scrolling, nothing kept."""
    await bench.rate(5000, 1)
    app = await bench.open(("docker", "logs", "--follow", "--tail", "500", f"{PROJECT}-service-01-1"))
    await app.wait(LINE, 20)
    await asyncio.sleep(SETTLE_SECONDS)
    use = await app.use(bench.seconds)
    await app.close("\x03")
    return [Result("`docker logs -f`, 5,000 lines a second", use)]


async def measured(bench: Bench, app: Terminal, name: str) -> Result:
    """What an open log uses while it follows, then how fast keys are."""
    use = await app.use(bench.seconds)
    return Result(name, use, keys=await press(app, LOG_KEYS, PRESSES))


async def press(app: Terminal, keys: Sequence[tuple[str, str]], times: int) -> list[tuple[str, float]]:
    """Presses keys in turn; each with its seconds to the screen."""
    took = []
    for turn in range(times * len(keys)):
        key, pattern = keys[turn % len(keys)]
        took.append((key, await app.press(key, pattern)))
        # Not in step with the app's own tick.
        await asyncio.sleep(0.06 + 0.011 * (turn % 9))
    return took


async def last_shown(bench: Bench, app: Terminal) -> str:
    """After the writing has stopped: whether the last line written is the last one on the screen."""
    await bench.rate(0)
    written = (await bench.written())[0]["written"]
    await app.wait(f"#{written - 1}(?!\\d)")
    newest = max(map(int, re.findall(LINE, app.text())))
    return f"{written:,} offered, the last one shown is #{newest}"


def quantile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least this share of the values does not exceed (nearest rank)."""
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def row(result: Result) -> str:
    """A row of the table, as the README has it."""
    cpu = result.use.cpu if result.use else result.cpu
    cells = [result.name, "" if cpu is None else f"{cpu:.1f} %", "", "", "", result.lines]
    if result.use:
        use = result.use
        cells[2] = f"{use.memory_peak / 1e6:.0f} MB ({(use.memory_end - use.memory_begin) / 1e6:+.1f})"
        cells[3] = f"{use.written / 1000:.0f} kB/s"
    if result.keys:
        cells[4] = marks([seconds for _, seconds in result.keys])
    return "| " + " | ".join(cells) + " |"


def marks(seconds: Sequence[float]) -> str:
    """Median, 95th percentile and most, in milliseconds."""
    times = (statistics.median(seconds), quantile(seconds, 0.95), max(seconds))
    return " / ".join(f"{value * 1000:.0f}" for value in times) + " ms"


def kinds(results: Sequence[Result]) -> str:
    """How long each kind of key takes, whatever the scenario."""
    times: dict[str, list[float]] = {}
    for key, seconds in (pressed for result in results for pressed in result.keys):
        times.setdefault(NAMES.get(key, key), []).append(seconds)
    return "By key: " + ", ".join(f"{key} {marks(taken)}" for key, taken in times.items()) + "." if times else ""
