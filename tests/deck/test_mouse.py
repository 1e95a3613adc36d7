"""Mouse, selection, clipboard, browser, and no colours or motion where somebody does not want them."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from textual.widgets import Input

from tests.deck.harness import Deck, deck_on, scripted
from tests.scripted_engine import ScriptedEngine
from tui.deck import theme
from tui.deck.screens.log import LogScreen
from tui.deck.screens.panes import PanesScreen
from tui.deck.settings import Settings
from tui.deck.widgets.log import LogView
from tui.stack.model import Port


@pytest.fixture(autouse=True)
def no_tools(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the machine: neither clipboard nor browser."""
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "TMUX", "BROWSER", "SSH_CONNECTION"):
        monkeypatch.delenv(name, raising=False)


def at(deck: Deck, text: str) -> tuple[int, int]:
    """Where a text is on the screen."""
    for y, line in enumerate(deck.text().splitlines()):
        if text in line:
            return line.index(text), y
    raise AssertionError(f"{text!r} is not there:\n{deck.text()}")


def within(view: LogView, place: tuple[int, int]) -> tuple[int, int]:
    """A place of the screen as one of the view: clicks are counted for what they are on."""
    return place[0] - view.region.x, place[1] - view.region.y


async def zoomed(deck: Deck) -> LogView:
    await deck.press("enter")
    await deck.until_seen("third")
    assert isinstance(deck.app.screen, LogScreen)
    return deck.app.screen.view


async def test_what_is_dragged_over_is_copied_without_mark_and_level() -> None:
    engine = scripted()
    (master,) = [one for one in await engine.replicas() if one.service == "spark-master"]
    engine.write(master, "26/11/21 11:58:05 ERROR X: first", "26/11/21 11:58:05 INFO X: second", "INFO third")
    async with deck_on(engine) as deck:
        await zoomed(deck)
        x, y = at(deck, "X: first")
        await deck.pilot.mouse_down(offset=(x, y))
        await deck.pilot.hover(offset=(x, y + 1))
        end, below = at(deck, "third")
        await deck.pilot.hover(offset=(end + 2, below))
        await deck.pilot.mouse_up(offset=(end + 2, below))
        await deck.press("y")
        await deck.until(lambda: deck.app.clipboard, "copied")
        first, second, third = deck.app.clipboard.splitlines()
        assert first == "X: first" and second == "26/11/21 11:58:05 INFO X: second"
        assert third.startswith("INFO th") and not third.endswith("third")


async def test_a_double_click_takes_one_line() -> None:
    engine = scripted()
    (master,) = [one for one in await engine.replicas() if one.service == "spark-master"]
    engine.write(master, "first", "second " * 60, "third")
    async with deck_on(engine) as deck:
        view = await zoomed(deck)
        await deck.press("w")
        await deck.until(lambda: view.wrap and deck.text().count("second") > 50, "wrapped")
        await deck.pilot.click(view, offset=within(view, at(deck, "second")), times=2)
        await deck.press("y")
        await deck.until(lambda: deck.app.clipboard, "copied")
        assert set(deck.app.clipboard.split()) == {"second"} and deck.app.clipboard.count("second") == 60
        await deck.pilot.click(view, offset=within(view, at(deck, "third")), times=3)
        await deck.press("y")
        await deck.until(lambda: deck.app.clipboard == "third", "one line")


@pytest.mark.parametrize("key", ["y", "ctrl+c"])
async def test_what_is_selected_on_a_page_is_copied(key: str) -> None:
    async with deck_on(scripted()) as deck:
        await deck.press("i")
        await deck.until_seen("fd-spark-master-1")
        x, y = at(deck, "fd-spark-master-1")
        await deck.pilot.mouse_down(offset=(x, y))
        await deck.pilot.hover(offset=(x + 5, y))
        await deck.pilot.mouse_up(offset=(x + 5, y))
        await deck.press(key)
        await deck.until(lambda: deck.app.clipboard, "copied")
        assert "fd-spark-master-1".startswith(deck.app.clipboard) and len(deck.app.clipboard) > 3


async def test_ctrl_c_says_how_to_leave() -> None:
    async with deck_on(scripted()) as deck:
        await deck.press("ctrl+c")
        await deck.until(lambda: any(text.startswith("q leaves") for text in deck.messages), "how")


async def test_a_click_in_the_footer_is_its_key() -> None:
    async with deck_on(scripted()) as deck:
        await deck.pilot.click(offset=at(deck, "Enter zoom"))
        await deck.until(lambda: isinstance(deck.app.screen, LogScreen), "the zoom")
        await deck.pilot.click(offset=at(deck, "Esc back"))
        await deck.until(lambda: isinstance(deck.app.screen, PanesScreen), "the panes")


async def links_to_mlflow(engine: ScriptedEngine) -> None:
    """Publishes its port."""
    (mlflow,) = [one for one in await engine.replicas() if one.service == "mlflow"]
    engine.change(mlflow, ports=(Port(5000, 5555, "127.0.0.1"),))


ADDRESS = "http://localhost:5555/"


async def open_mlflow(deck: Deck) -> None:
    await deck.until(lambda: deck.app.desk.panes["mlflow/1"].links, "its address")
    await deck.press("7", "o")
    await deck.until(lambda: deck.messages, "what was done")


async def test_over_ssh_the_address_is_copied(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSH_CONNECTION", "10.0.0.2 1 10.0.0.1 22")
    monkeypatch.setenv("DISPLAY", ":0")
    engine = scripted()
    await links_to_mlflow(engine)
    async with deck_on(engine) as deck:
        await open_mlflow(deck)
        assert deck.app.clipboard == ADDRESS and "No browser" in deck.messages[0]


@pytest.mark.parametrize(
    ("ending", "said"),
    [("true", "Opened"), ("false", "No browser"), ("sleep 600", "Opened")],
)
async def test_a_browser_that_is_named_is_used(
    ending: str, said: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Also over ssh. It writes nothing on the screen, and quitting does not wait for it."""
    browser = tmp_path / "browser"
    browser.write_text(f"#!/bin/sh\necho $$ > {tmp_path}/pid\necho $1 | tee {tmp_path}/opened\nexec {ending}\n")
    browser.chmod(0o755)
    monkeypatch.setenv("SSH_CONNECTION", "10.0.0.2 1 10.0.0.1 22")
    monkeypatch.setenv("BROWSER", f"{browser} %s")
    engine = scripted()
    await links_to_mlflow(engine)
    async with deck_on(engine) as deck:
        await open_mlflow(deck)
        assert (tmp_path / "opened").read_text() == f"{ADDRESS}\n"
        assert said in deck.messages[0] and ADDRESS not in capfd.readouterr().out
    if "sleep" in ending:
        # It is still there: else this raises.
        os.kill(int((tmp_path / "pid").read_text()), signal.SIGTERM)


async def test_the_systems_clipboard(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A tool that fails is not believed."""
    tool = tmp_path / "wl-copy"
    tool.write_text(f"#!/bin/sh\ncat > {tmp_path}/copied\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-0")
    async with deck_on(scripted()) as deck:
        await deck.press("y", "enter")
        await deck.until(lambda: any("was copied" in text for text in deck.messages), "copied")
        assert (tmp_path / "copied").read_text() == "spark-master"
        tool.write_text("#!/bin/sh\nexit 1\n")
        await deck.press("y", "enter")
        await deck.until(lambda: any("OSC 52" in text for text in deck.messages), "handed to the terminal")


async def test_no_color(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not a shade: what is chosen is told apart without one, a state has its sign and its word."""
    monkeypatch.setenv("NO_COLOR", "1")
    theme.palette.cache_clear()
    engine = scripted()
    (master,) = [one for one in await engine.replicas() if one.service == "spark-master"]
    engine.write(master, "26/11/21 11:58:05 ERROR X: first", "26/11/21 11:58:05 INFO X: second", "INFO third")
    try:
        async with deck_on(engine) as deck:
            assert "● healthy" in deck.text()
            await deck.press("c", "escape", "R")
            await deck.until_seen("Restart all workers")
            assert colors(deck) == {"default"}
            assert "Restart spark-master" in told_apart(deck)
            await deck.press("escape")
            view = await zoomed(deck)
            await deck.press("k", "slash", *"second", "enter")
            await deck.until(lambda: view.pattern is not None, "found")
            assert colors(deck) == {"default"} and "second" in told_apart(deck)
    finally:
        theme.palette.cache_clear()


def colors(deck: Deck) -> set[str]:
    """Every colour that reaches the terminal."""
    used = set()
    for y in range(deck.app.size.height):
        for segment in deck.app.screen._compositor.render_strips()[y].apply_filter(
            deck.app._filters[-1], deck.app.screen.background_colors[1]
        ):
            style = segment.style
            used |= {color.name for color in (style.color, style.bgcolor) if color} if style else set()
    return used


def told_apart(deck: Deck) -> str:
    """What is reversed or underlined."""
    parts = [part for strip in deck.app.screen._compositor.render_strips() for part in strip]
    return "".join(part.text for part in parts if part.style and (part.style.reverse or part.style.underline))


async def test_reduced_motion() -> None:
    async with deck_on(scripted(), settings=Settings(reduced_motion=True)) as deck:
        assert deck.app.animation_level == "none"
        await deck.press("slash")
        await deck.until(lambda: isinstance(deck.app.focused, Input), "the field")
        assert isinstance(deck.app.focused, Input) and not deck.app.focused.cursor_blink
