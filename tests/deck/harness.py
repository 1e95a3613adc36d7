"""The deck without a terminal, against an engine or a watch that a test scripts."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from textual.containers import Vertical
from textual.pilot import Pilot

from tests.deck.fakes import NOW, SERVICES, Clock, FakeWatch, layout_project, layout_stack
from tests.scripted_engine import ScriptedEngine
from tui.deck.app import DeckApp
from tui.deck.desk import Desk
from tui.deck.settings import Settings
from tui.engine.interface import Engine, Health
from tui.stack.model import Stack
from tui.watch.session import Session


class Deck:
    """A running deck with what the test scripts."""

    def __init__(self, app: DeckApp, pilot: Pilot[None], engine: ScriptedEngine) -> None:
        self.app = app
        self.pilot = pilot
        self.engine = engine
        self.failing: set[str] = set()
        """The parts that are meant to fail."""

    async def press(self, *keys: str) -> None:
        """Keys, each handled before the next."""
        for key in keys:
            await self.pilot.press(key)
            await self.pilot.pause()

    async def until(self, true: Callable[[], object], what: str = "", seconds: float = 10) -> None:
        """Waits for a state; fails with what was on the screen."""
        end = time.monotonic() + seconds
        while not true():
            if time.monotonic() > end:
                raise AssertionError(f"not reached: {what or true}\n{self.text()}")
            await self.pilot.pause(0.02)

    async def until_seen(self, text: str, seconds: float = 10) -> None:
        """Waits until a text is on the screen."""
        await self.until(lambda: text in self.text(), f"{text!r} on the screen", seconds)

    async def until_told(self, text: str) -> None:
        """Waits until a text is in the dialog, however that wraps it."""
        await self.until(lambda: text in self.dialog(), f"{text!r} in the dialog")

    def dialog(self) -> str:
        """The words in the frame of the dialog that is open."""
        frame = self.app.screen.query(Vertical)
        if not frame:
            return ""
        inside = frame.first().content_region
        rows = self.text().splitlines()[inside.y : inside.bottom]
        return " ".join(" ".join(row[inside.x : inside.right] for row in rows).split())

    def text(self) -> str:
        """The screen as plain text."""
        return screen_text(self.app)

    @property
    def messages(self) -> list[str]:
        """What was said in toasts."""
        return [note.message for note in self.app._notifications]

    def did(self, action: str) -> list[tuple[Any, ...]]:
        """What the engine was asked for under this name."""
        return [arguments for name, arguments in self.engine.actions if name == action]


def screen_text(app: DeckApp) -> str:
    """What is on the screen, row by row, without trailing blanks."""
    lines = app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip).rstrip() for strip in lines)


def scripted(names: list[str] | None = None) -> ScriptedEngine:
    """An engine where every service is up and healthy."""
    engine = ScriptedEngine(layout_project(names or SERVICES))
    for name in names or SERVICES:
        engine.add(name, health=Health.HEALTHY, image="spark:3.5.9")
    return engine


@asynccontextmanager
async def deck_on(
    engine: ScriptedEngine,
    *,
    size: tuple[int, int] = (160, 48),
    watch: FakeWatch | None = None,
    settings: Settings | None = None,
    stack: Stack | None = None,
    read_only: bool = False,
    wait: bool = True,
) -> AsyncGenerator[Deck]:
    """A deck on a scripted engine, with the real watch unless a fake one is given; on flight-delay unless told."""

    async def open_engine(stack: Stack) -> Engine:
        engine.closed = False
        await engine.project()
        return engine

    async def look(session: Session) -> None:
        session.watch = watch  # type: ignore[assignment]

    stack = stack or layout_stack()
    desk = Desk(stack, open_engine, look, now=Clock()) if watch else Desk(stack, open_engine)
    if watch:
        desk.opened_at = NOW
    settings = replace(settings or Settings(), strict=True, reduced_motion=True)
    app = DeckApp(desk, settings, read_only=read_only)
    async with app.run_test(size=size, notifications=True) as pilot:
        deck = Deck(app, pilot, engine)
        if wait:
            await deck.until(lambda: desk.ready is not None, "the engine is open")
            await deck.until(lambda: not any(pane.word in ("looking", "unknown") for pane in desk.shown()), "panes")
            await pilot.pause(0.3)
        yield deck
        failed = [failure.error for failure in desk.failures if failure.part not in deck.failing]
    assert not failed, f"parts of SparkDeck failed: {failed}"
    left = [task.get_name() for task in asyncio.all_tasks() if task.get_name().startswith(("part: ", "watch"))]
    assert not left, f"tasks that were left: {left}"
