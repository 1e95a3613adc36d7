"""The deck on the real engine, as a person would use it: the tests go on from one another, on one spark-cluster."""

from __future__ import annotations

import asyncio
import json
import os
import pty
import subprocess
import time
import urllib.request
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, Label, Select

from tests.deck.harness import screen_text
from tests.real.deck import SMALL, copy_out, free_ports, taken_away
from tui.deck.app import DeckApp
from tui.deck.desk import Desk
from tui.deck.screens.dialogs import Ask
from tui.deck.screens.panes import PanesScreen
from tui.deck.screens.submit import SubmitScreen
from tui.deck.settings import Settings
from tui.engine.interface import State
from tui.stack.catalogue import find_stack
from tui.watch.live import Pane

pytestmark = pytest.mark.engine

# Half of the tasks end at once, the others when a file is there: a job that ends when the test says so.
HOLD = """
import os, sys, time
file = sys.argv[1]
from pyspark.sql import SparkSession
spark = SparkSession.builder.appName("hold").getOrCreate()
spark.sparkContext.setJobGroup("hold", "hold every core")
def hold(x):
    while x >= 4 and not os.path.exists(file):
        time.sleep(0.2)
    return x
print("SUM", spark.sparkContext.range(8, numSlices=8).map(hold).sum(), flush=True)
"""
SERVICES = ["spark-master", "spark-submit", "spark-worker", "spark-worker"]


@dataclass(frozen=True)
class Cluster:
    """The stack under test, and what the engine and the Spark master themselves say of it."""

    folder: Path
    project: str
    master: str

    def docker(self, *args: str) -> str:
        """What a docker command prints."""
        return subprocess.run(["docker", *args], capture_output=True, text=True, check=True).stdout.strip()

    async def services(self, *filters: str) -> list[str]:
        """The services of the project's containers, sorted: all, or those that a filter finds. Runs have no number."""
        wanted = [word for item in filters for word in ("--filter", item)]
        label = f"label=com.docker.compose.project={self.project}"
        shown = '{{.Label "com.docker.compose.service"}}'
        found = await asyncio.to_thread(self.docker, "ps", "-a", "--filter", label, *wanted, "--format", shown)
        return sorted(found.split())

    async def state(self, run: str) -> tuple[str, int]:
        """A run's state and exit code."""
        shown = "{{.State.Status}} {{.State.ExitCode}}"
        found = await asyncio.to_thread(self.docker, "inspect", f"{self.project}-{run}", "--format", shown)
        status, code = found.split()
        return status, int(code)

    async def spark(self) -> Any:
        """The master's own account."""

        def read() -> Any:
            with urllib.request.urlopen(self.master, timeout=20) as answer:
                return json.load(answer)

        return await asyncio.to_thread(read)

    async def workers(self) -> int:
        """The workers that the master has."""
        found: int = (await self.spark())["aliveworkers"]
        return found

    def let_go(self, name: str) -> None:
        """Ends the job that waits for this file."""
        (self.folder / "work" / "output" / name).touch()


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """The spark-cluster stack with two workers, built but down."""
    folder: Path = tmp_path_factory.mktemp("deck") / "spark-cluster"
    project, port = f"deck-real-{os.getpid()}", str(free_ports(1)[0])
    small = {**SMALL, "SPARK_DRIVER_MEMORY": "700m", "SPARK_WORKERS": "2"}
    deck = copy_out("spark-cluster", folder, {"COMPOSE_PROJECT_NAME": project, "SPARK_MASTER_UI_PORT": port, **small})
    (folder / "apps" / "hold.py").write_text(HOLD)
    (folder / "work" / "output").mkdir(parents=True)
    with taken_away(deck):
        yield Cluster(folder, project, f"http://127.0.0.1:{port}/json/")


class Person:
    """Someone at the deck."""

    def __init__(self, app: DeckApp, pilot: Pilot[None]) -> None:
        self.app = app
        self.pilot = pilot

    @property
    def panes(self) -> list[Pane]:
        """What is shown."""
        return self.app.desk.shown()

    async def press(self, *keys: str) -> None:
        """Keys, each handled before the next."""
        for key in keys:
            await self.pilot.press(key)
            await self.pilot.pause()

    async def until(self, true: Callable[[], object], what: str, seconds: float = 90) -> None:
        """Waits for a state; fails with what was on the screen and what was run."""
        end = time.monotonic() + seconds
        while not true():
            if time.monotonic() > end:
                ran = [(command.line, command.state, *command.output) for command in self.app.runner.commands]
                raise AssertionError(f"not within {seconds} s: {what}\n{screen_text(self.app)}\n{ran}")
            await self.pilot.pause(0.1)

    async def until_seen(self, text: str, seconds: float = 90) -> None:
        """Waits until a text is on the screen."""
        await self.until(lambda: text in screen_text(self.app), f"{text!r} on the screen", seconds)

    async def until_done(self, line: str, seconds: float = 120) -> None:
        """Waits until the command that was started last is this one and is done."""

        def done() -> bool:
            command = self.app.runner.commands[-1] if self.app.runner.commands else None
            assert command is None or command.state != "failed", command
            return command is not None and line in command.line and command.state == "done"

        await self.until(done, f"{line} is done", seconds)

    async def until_cluster(self, workers: int) -> None:
        """Waits until so many workers are registered, as the deck shows it."""

        def registered() -> bool:
            found = [pane for pane in self.panes if pane.service and pane.service.name == "spark-worker"]
            seen = len(found) == workers and all(" of 1 cores" in pane.line and pane.well for pane in found)
            return seen and f"{workers} workers" in self.panes[0].line

        await self.until(registered, f"{workers} workers are registered")

    async def focus(self, pane: Pane) -> None:
        """Goes to a pane by its number."""
        await self.press(str(self.panes.index(pane) + 1))
        assert self.app.focused_key == pane.key

    async def confirm(self, command: str) -> None:
        """Says yes to a question that shows this command."""
        await self.until(lambda: isinstance(self.app.screen, Ask) and self.app.screen.query(Label), "a question")
        # However a long command is wrapped.
        lines = [" ".join(str(label.content).split()) for label in self.app.screen.query(Label)]
        assert any(line.endswith(command) for line in lines), lines
        await self.press("y")

    async def submit(self, waits_for: str) -> Pane:
        """Submits the holding job with the form; returns its pane once some of its tasks are done."""
        before = {pane.key for pane in self.panes}
        await self.press("J")
        await self.until(lambda: isinstance(self.app.screen, SubmitScreen), "the form")
        await self.until_seen("runs so far")
        self.app.screen.query_one("#job", Select).value = "/apps/hold.py"
        self.app.screen.query_one("#args", Input).value = f"/output/{waits_for}"
        await self.until_seen("submit /apps/hold.py -- ")
        await self.until_seen("the cluster has room")
        await self.press("ctrl+s")
        await self.until(lambda: isinstance(self.app.screen, PanesScreen), "the panes")
        await self.until(lambda: any(pane.is_run and pane.key not in before for pane in self.panes), "the run's pane")
        run = next(pane for pane in self.panes if pane.is_run and pane.key not in before)
        await self.until_held(run.key)
        return run

    async def until_held(self, run: str) -> None:
        """Waits until a run's pane shows that half of the tasks are done."""
        await self.until(lambda: run in screen_text(self.app), f"{run} is on the screen")
        await self.until_seen("hold every core")
        await self.until_seen(" 4/8")


@asynccontextmanager
async def deck_on(cluster: Cluster) -> AsyncGenerator[Person]:
    """A deck on the real engine, which has looked at the whole stack once."""
    desk = Desk(find_stack(str(cluster.folder), Path.cwd()))
    app = DeckApp(desk, Settings(strict=True, reduced_motion=True))
    async with app.run_test(size=(160, 48), notifications=True) as pilot:
        person = Person(app, pilot)
        await person.until(lambda: desk.ready is not None, "the engine is open")
        await person.until(lambda: all(pane.word not in ("looking", "unknown") for pane in desk.shown()), "the panes")
        yield person
    left = [task.get_name() for task in asyncio.all_tasks() if task.get_name().startswith(("desk-", "deck-", "watch"))]
    assert not left, f"tasks that were left: {left}"


async def test_the_stack_is_started(cluster: Cluster) -> None:
    async with deck_on(cluster) as person:
        assert [pane.word for pane in person.panes] == ["down"] * 4
        await person.press("U")
        # On a bare machine the images are built first.
        await person.until_done("up", 700)
        await person.until(lambda: all(pane.well for pane in person.panes), "every pane is well")
        await person.until_cluster(2)
        await person.until_seen("2 workers")
        await person.until(lambda: screen_text(person.app).count("● healthy") == 4, "and says so")
    assert await cluster.services("health=healthy") == SERVICES
    assert await cluster.workers() == 2


async def test_a_job_outlives_a_worker_and_the_deck(cluster: Cluster) -> None:
    async with deck_on(cluster) as person:
        run = (await person.submit("first")).key
        worker = next(pane for pane in person.panes if pane.name == "spark-worker-2")
        assert worker.replica is not None
        before = worker.replica.started_at
        sibling = next(pane for pane in person.panes if pane.name == "spark-worker-1")
        untouched = sibling.replica and sibling.replica.started_at
        await person.focus(worker)
        await person.press("r")
        await person.until(lambda: worker.replica and worker.replica.started_at != before, "it has started again")
        await person.until_done("restart spark-worker-2")
        assert sibling.replica is not None and sibling.replica.started_at == untouched
        await person.until_cluster(2)
        assert await cluster.workers() == 2
        await person.until_held(run)
        await person.press("q")
        await person.until(lambda: not person.app.is_running, "the deck is left")
    assert await cluster.state(run) == ("running", 0)
    async with deck_on(cluster) as person:
        await person.until_held(run)
        cluster.let_go("first")
        await person.until_seen("✓ Succeeded.")
        log = person.app.desk.panes[run].log
        await person.until(lambda: "SUM 28" in [row.text for row in log.rows(log.first, log.total)], "its result")
        ended = person.app.desk.runs[run].ended
        assert ended is not None and ended.exit_code == 0
    assert await cluster.state(run) == ("exited", 0)


async def test_a_job_is_cancelled(cluster: Cluster) -> None:
    async with deck_on(cluster) as person:
        run = await person.submit("never")
        await person.focus(run)
        await person.press("x")
        await person.confirm(f"jobs {run.key} --cancel")
        await person.until(lambda: run.replica and run.replica.state is State.ENDED, "it has ended")
        await person.until(lambda: (view := person.app.desk.runs.get(run.key)) and view.ended, "how it ended")
        await person.until(lambda: "0 of 2 cores" in person.panes[0].line, "its cores are free")
    status, code = await cluster.state(run.key)
    assert status == "exited" and code in (130, 137, 143)
    assert (await cluster.spark())["coresused"] == 0


async def test_a_killed_worker_is_a_finding(cluster: Cluster) -> None:
    async with deck_on(cluster) as person:
        await person.until_cluster(2)
        worker = next(pane for pane in person.panes if pane.name == "spark-worker-2")
        assert worker.replica is not None
        await asyncio.to_thread(cluster.docker, "kill", worker.replica.id)
        await person.until_seen("! 1 finding ")
        await person.press("exclamation_mark")
        await person.until_seen("spark-worker-2 was killed (exit code 137)")
        await person.press("enter")
        await person.until(lambda: person.app.focused_key == worker.key, "the worker is focused")
        await person.press("u")
        await person.until_done("up spark-worker-2")
        await person.until_cluster(2)
        # The deck asks the master every few seconds.
        await person.until(lambda: "finding" not in screen_text(person.app), "nothing is found any more")


async def test_workers_join_and_leave(cluster: Cluster) -> None:
    async with deck_on(cluster) as person:
        await person.until_cluster(2)
        await person.press("plus")
        await person.until_done("scale 3")
        await person.until_cluster(3)
        assert (await cluster.services("health=healthy")).count("spark-worker") == 3
        assert await cluster.workers() == 3
        await person.press("minus")
        await person.confirm("scale 2")
        await person.until_done("scale 2")
        await person.until_cluster(2)
    assert (await cluster.services()).count("spark-worker") == 2
    assert await cluster.workers() == 2


async def test_a_shell(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the terminal is another one: a pseudo-terminal at which someone waits for the prompt, and types."""
    ours, theirs = pty.openpty()
    shown = bytearray()
    asyncio.get_running_loop().add_reader(ours, lambda: shown.extend(os.read(ours, 65536)))
    monkeypatch.setattr(DeckApp, "suspend", lambda self: nullcontext())
    lent = partial(asyncio.create_subprocess_exec, stdin=theirs, stdout=theirs, stderr=theirs)
    monkeypatch.setattr(asyncio, "create_subprocess_exec", lent)
    try:
        async with deck_on(cluster) as person:
            await person.focus(person.panes[0])
            await person.press("e")
            await person.until(lambda: b"@spark-master:" in shown, "the prompt")
            os.write(ours, b"echo I am in $(hostname); exit 7\n")
            await person.until_seen("ended with exit code 7")
        assert b"I am in spark-master" in shown
    finally:
        asyncio.get_running_loop().remove_reader(ours)
        os.close(theirs)
        os.close(ours)


async def test_everything_is_taken_down(cluster: Cluster) -> None:
    async with deck_on(cluster) as person:
        await person.press("D")
        await person.confirm(" down --remove-orphans")
        await person.until_done("down")
        await person.until(lambda: [pane.word for pane in person.panes] == ["down"] * 4, "every pane is down")
        await person.until(lambda: screen_text(person.app).count("○ down") == 4, "and says so")
    assert await cluster.services() == []
