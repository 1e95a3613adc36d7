"""The login that a page asks for: hidden until a key shows it, and in no message."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.deck import harness
from tests.deck.fakes import layout_stack
from tests.deck.harness import Deck, deck_on
from tests.scripted_engine import ScriptedEngine
from tui.deck.handlers import views
from tui.deck.screens.open import OpenMenu
from tui.engine.interface import Health
from tui.stack.model import Layout, Link, Port, Project, Role, Service, ServiceLayout, Stack
from tui.watch.roles.kind import MASK

PASSWORD = "hunter2-of-the-test"
STORE = {"MINIO_ROOT_USER": "admin", "MINIO_ROOT_PASSWORD": PASSWORD}
PROJECT = Project(
    "p",
    {
        "minio": Service("minio", environment=STORE, ports=(Port(9001, None),)),
        "web": Service("web", ports=(Port(80, None),)),
    },
)
LAYOUT = Layout(
    "p",
    "P",
    services=(
        ServiceLayout("minio", Role.OBJECT_STORE, links=(Link("Console", 9001),)),
        ServiceLayout("web", Role.APP, links=(Link("Web", 80),)),
    ),
)


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> ScriptedEngine:
    def stack() -> Stack:
        return replace(layout_stack(), layout=LAYOUT)

    monkeypatch.setattr(harness, "layout_stack", stack)
    made = ScriptedEngine(PROJECT)
    made.add("minio", health=Health.HEALTHY, ports=(Port(9001, 9, "127.0.0.1"),))
    made.add("web", health=Health.HEALTHY, ports=(Port(80, 9, "127.0.0.1"),))
    return made


def said(deck: Deck) -> str:
    """All that the deck keeps of what happened."""
    return f"{deck.messages} {[(one.line, list(one.output)) for one in deck.app.runner.commands]}"


async def test_the_password_is_hidden_until_a_key_shows_it(
    engine: ScriptedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied: list[str] = []

    async def tool(value: str) -> bool:
        copied.append(value)
        return True

    monkeypatch.setattr(views, "copy_by_tool", tool)
    async with deck_on(engine) as deck:
        await deck.until(lambda: deck.app.focused_pane and deck.app.focused_pane.links, "the link")
        await deck.press("o")
        await deck.until_seen(f"login: admin {MASK}")
        assert "http://localhost:9/" in deck.text() and PASSWORD not in deck.text()
        await deck.press("V")
        await deck.until_seen(f"login: admin {PASSWORD}")
        await deck.press("V", "y")
        await deck.until(lambda: copied == [PASSWORD], "it is copied")
        assert isinstance(deck.app.screen, OpenMenu)
        await deck.until(lambda: deck.messages, "that is said")
        assert PASSWORD not in deck.text() and PASSWORD not in said(deck)
        await deck.press("escape")
        assert not isinstance(deck.app.screen, OpenMenu)


async def test_a_page_without_a_login_opens_at_once(engine: ScriptedEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []

    async def page(url: str) -> bool:
        opened.append(url)
        return True

    monkeypatch.setattr(views, "has_browser", lambda: True)
    monkeypatch.setattr(views, "open_page", page)
    async with deck_on(engine) as deck:
        await deck.press("2")
        await deck.until(lambda: deck.app.focused_pane and deck.app.focused_pane.links, "the link")
        await deck.press("o")
        await deck.until(lambda: opened == ["http://localhost:9/"], "it is opened")


async def test_a_login_that_cannot_be_read_does_not_hinder(
    engine: ScriptedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []

    async def page(url: str) -> bool:
        opened.append(url)
        return True

    monkeypatch.setattr(views, "has_browser", lambda: True)
    monkeypatch.setattr(views, "open_page", page)
    async with deck_on(engine) as deck:
        await deck.until(lambda: deck.app.focused_pane and deck.app.focused_pane.links, "the link")
        engine.fail("project", "the compose file has a mistake")
        await deck.press("o")
        await deck.until(lambda: opened == ["http://localhost:9/"], "it is opened")
