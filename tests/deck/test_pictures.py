"""Each screen at three sizes, dark and light, with its colours. DECK_SNAPSHOTS=update writes them anew; look then."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncGenerator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.deck import test_mlflow_runs
from tests.deck.fakes import (
    NOW,
    SERVICES,
    FakeLog,
    FakePane,
    FakeSamples,
    FakeWatch,
    layout_project,
    layout_stack,
    panes_of,
    replica,
    sick,
)
from tests.deck.harness import Deck, deck_on
from tests.deck.picture import picture
from tests.deck.test_mlflow_runs import Server
from tests.scripted_engine import ScriptedEngine
from tui.checks.finding import Finding
from tui.deck import desk
from tui.deck.screens.findings import FindingsScreen
from tui.deck.screens.mlflow import MlflowScreen
from tui.deck.settings import Settings
from tui.deck.theme import DARK, LIGHT, palette
from tui.engine.interface import State
from tui.jobs.progress import RunProgress, StageProgress
from tui.stack.model import Project, Role
from tui.watch.live import Outage

FOLDER = Path(__file__).parent / "snapshots"
SIZES = [(80, 24), (160, 48), (240, 60)]
by_size = pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")

mlflow_server = test_mlflow_runs.mlflow


@pytest.fixture(autouse=True)
def same_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cores and time zone of one machine."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()


def script() -> tuple[ScriptedEngine, FakeWatch]:
    """The bundled stack with a bit of everything that can be wrong."""
    stack, project = layout_stack(), layout_project(SERVICES)
    panes = panes_of(stack, project)
    sick(panes)
    return ScriptedEngine(project), FakeWatch(panes)


async def check(deck: Deck, name: str) -> None:
    """Compares the screen, dark and light, with what is stored: the same picture but for what its names stand for."""
    file = FOLDER / f"{name}.txt"
    deck.app.theme = DARK
    await deck.pilot.pause(0.1)
    dark = picture(deck.app)
    if os.environ.get("DECK_SNAPSHOTS") == "update":
        FOLDER.mkdir(exist_ok=True)
        file.write_text(dark)
    assert file.is_file(), f"no picture {file.name}: DECK_SNAPSHOTS=update writes it"
    assert dark == file.read_text()
    deck.app.theme = LIGHT
    await deck.pilot.pause(0.1)
    assert picture(deck.app) == dark, "light differs from dark in more than its colours"


@by_size
async def test_panes(size: tuple[int, int]) -> None:
    engine, watch = script()
    async with deck_on(engine, size=size, watch=watch) as deck:
        await deck.until_seen("5 of 8 services well")
        await check(deck, f"panes-{size[0]}x{size[1]}")


@by_size
@pytest.mark.parametrize(
    ("name", "keys", "seen"),
    [
        ("zoom", ["2", "enter"], "following"),
        ("table", ["T"], "cpu"),
        ("merged", ["L"], "following"),
        ("help", ["question_mark"], "Keys here"),
        ("submit", ["J"], "must be up"),
        ("restart", ["2", "R"], "Restart all workers"),
        ("confirm", ["2", "s"], "Logs and data stay"),
        ("inspect", ["2", "i"], "Processes"),
        ("palette", ["colon"], "zoom"),
        ("commands", ["c"], "Nothing was run"),
    ],
)
async def test_screens(name: str, keys: list[str], seen: str, size: tuple[int, int]) -> None:
    engine, watch = script()
    # The one that is inspected.
    engine.add("spark-worker-1", id="spark-worker-1-0123456789ab", command=("spark-class", "Worker"))
    async with deck_on(engine, size=size, watch=watch) as deck:
        await deck.press(*keys)
        if not (name == "inspect" and size[1] < 30):
            await deck.until_seen(seen)
        await deck.pilot.pause(0.3)
        await check(deck, f"{name}-{size[0]}x{size[1]}")


@by_size
async def test_start_up(size: tuple[int, int]) -> None:
    """What is painted before the engine has answered."""
    engine, watch = script()

    async def never() -> Project:
        await asyncio.Event().wait()
        raise AssertionError

    engine.project = never  # type: ignore[method-assign]
    async with deck_on(engine, size=size, watch=watch, wait=False) as deck:
        await deck.until_seen("asking the engine")
        await check(deck, f"start-{size[0]}x{size[1]}")


STAGES = (
    StageProgress(33, 0, "fit", "train: fit random forest", 12, 4, 0, 32, 12 / 32, 3.5),
    StageProgress(34, 0, "fit", "train: fit random forest", 3, 0, 1, 4, 3 / 4, None, overdue=True),
)


@by_size
@pytest.mark.parametrize(("name", "keys"), [("run", []), ("run-zoom", ["G", "enter"])])
async def test_run(name: str, keys: list[str], size: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    async def follow(*args: object, **options: object) -> AsyncGenerator[RunProgress]:
        yield RunProgress(("train: fit random forest",), STAGES, 1, 16, 0)

    monkeypatch.setattr(desk, "follow", follow)
    engine, watch = script()
    run = replica("spark-submit", labels={"run": "flight-delay-73383f", "job": "flight-delay"})
    pane = FakePane("run/1", "flight-delay-73383f", None, Role.SPARK_CLIENT, run, "running")
    pane.log.write("26/11/21 11:59:01 INFO TaskSetManager: Finished task 11.0 in stage 33.0", level="info")
    watch.panes |= {"run/1": pane}
    async with deck_on(engine, size=size, watch=watch) as deck:
        await deck.press(*keys)
        await deck.until_seen("12/32")
        await deck.pilot.pause(0.3)
        await check(deck, f"{name}-{size[0]}x{size[1]}")


@by_size
@pytest.mark.parametrize(
    ("name", "keys"), [("one-shot", []), ("one-shot-table", ["T"]), ("one-shot-zoom", ["2", "enter"])]
)
async def test_one_shots(name: str, keys: list[str], size: tuple[int, int]) -> None:
    """One that is done, one that works, one that waits for it; and what the others say of their work."""
    engine, watch = script()
    panes = list(watch.panes.values())[:5]
    others = ["mlflow", "prepare", "train", "serve", "api"]
    engine.set_project(layout_project([*SERVICES, *others]))
    for pane, other in zip(panes, others, strict=True):
        pane.key, pane.name, pane.role = f"{other}/1", other, Role.APP
        pane.replica, pane.word, pane.well, pane.note, pane.line = replica(other), "healthy", True, "", ""
    panes[0].line = "2 experiments · last run bold-crow-7 finished 3 min ago · wind champion v3"
    done = NOW - timedelta(minutes=2)
    panes[1].replica = replica(
        "prepare", state=State.ENDED, exit_code=0, started_at=done - timedelta(seconds=42), ended_at=done
    )
    panes[1].word, panes[1].samples, panes[1].role = "done", FakeSamples(1, count=0), Role.ONE_SHOT
    panes[2].word, panes[2].role = "running", Role.ONE_SHOT
    panes[3].replica = replica("serve", state=State.CREATED, started_at=None)
    panes[3].samples, panes[3].log = FakeSamples(3, count=0), FakeLog()
    panes[3].word, panes[3].well, panes[3].note = "created", False, "waits for train, running 0:42"
    panes[4].line, panes[4].links = "healthy: /health 200", (("API", "http://localhost:8000/docs"),)
    watch.panes = {pane.key: pane for pane in panes}
    async with deck_on(engine, size=size, watch=watch) as deck:
        await deck.until_seen("4 of 5 services well")
        await deck.press(*keys)
        await deck.pilot.pause(0.3)
        await check(deck, f"{name}-{size[0]}x{size[1]}")


@by_size
async def test_findings(size: tuple[int, int]) -> None:
    engine, watch = script()
    found = [
        Finding("spark-worker-3 ran out of memory", "Give it more: SPARK_WORKER_MEMORY in .env", "spark-worker-3"),
        Finding("4.1 GB are free on the disk of the engine", "Free some: sparkdeck cleanup"),
    ]

    async def look() -> list[Finding]:
        return found

    async with deck_on(engine, size=size, watch=watch) as deck:
        deck.app.push_screen(FindingsScreen(lambda: found, look))
        await deck.until_seen("ran out of memory")
        await deck.until(lambda: "looking further" not in deck.text())
        await check(deck, f"findings-{size[0]}x{size[1]}")


@by_size
async def test_mlflow(size: tuple[int, int], mlflow_server: Server) -> None:
    engine, watch = script()
    async with deck_on(engine, size=size, watch=watch) as deck:
        deck.app.push_screen(MlflowScreen("mlflow", f"http://localhost:{mlflow_server.port}", set))
        await deck.until_seen("r1")
        await deck.pilot.pause(0.2)
        await check(deck, f"mlflow-{size[0]}x{size[1]}")


async def test_outage_banner() -> None:
    engine, watch = script()
    watch.outage = Outage(NOW, "Cannot connect to the Docker daemon", NOW)
    async with deck_on(engine, watch=watch) as deck:
        await deck.until_seen("engine gone since 12:00:00")
        await check(deck, "outage-160x48")


async def test_many_panes_are_a_table() -> None:
    engine, watch = script()
    names = [f"service-{number}" for number in range(50)]
    engine.set_project(layout_project([*SERVICES, *names]))
    project = layout_project(names)
    watch.panes = {pane.key: pane for pane in panes_of(layout_stack(), project)}
    async with deck_on(engine, watch=watch) as deck:
        await deck.until_seen("cpu history")
        await deck.press("G")
        await deck.until_seen("service-49")
        await check(deck, "many-160x48")


async def test_one_more_pane_fits_in() -> None:
    engine, watch = script()
    async with deck_on(engine, watch=watch) as deck:
        panes = dict(watch.panes)
        del panes["jupyter/1"]
        watch.panes = panes
        await deck.until(lambda: "jupyter" not in deck.text())
        # The last card takes the place that is left.
        last = deck.app.screen.query("PaneView").last()
        assert last.size.width == 160
        assert replica("mlflow").service == "mlflow"


async def test_dark_and_light_differ_only_in_colour() -> None:
    texts = []
    for theme, name in (("dark", DARK), ("light", LIGHT)):
        engine, watch = script()
        async with deck_on(engine, watch=watch, settings=Settings(theme=theme)) as deck:
            await deck.until_seen("5 of 8 services well")
            assert deck.app.theme == name
            texts.append(deck.text())
            row = deck.app.screen._compositor.render_strips()[10]
            grounds = {segment.style.bgcolor.name for segment in row if segment.style and segment.style.bgcolor}
            assert grounds == {palette(name).colors.ground}
    assert texts[0] == texts[1]


def _luminance(color: str) -> float:
    parts = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("theme", [DARK, LIGHT])
def test_contrast(theme: str) -> None:
    """WCAG AA: 4.5 to 1 for every colour that text has, on both grounds."""
    colors = palette(theme).colors
    names = ("text", "dim", "accent", "good", "warn", "bad", "first", "second")
    for ground in (colors.ground, colors.raised):
        for color in [*(getattr(colors, name) for name in names), *colors.services]:
            low, high = sorted((_luminance(color), _luminance(ground)))
            assert (high + 0.05) / (low + 0.05) >= 4.5, f"{color} on {ground}"
