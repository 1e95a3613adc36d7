"""Keys on a log: what they do, seen from the screen and in files."""

from __future__ import annotations

from pathlib import Path

from textual.widgets import Input

from tests.deck.harness import Deck, deck_on, scripted
from tui.deck.screens.dialogs import AskText
from tui.deck.screens.log import LogScreen
from tui.deck.screens.merged import MergedScreen
from tui.deck.widgets.log import LogView


def view(deck: Deck) -> LogView:
    """The log on the screen."""
    assert isinstance(deck.app.screen, LogScreen)
    return deck.app.screen.view


async def test_log_keys() -> None:
    engine = scripted()
    master = next(item for item in await engine.replicas() if item.service == "spark-master")
    engine.write(master, *(f"26/11/21 11:58:05 INFO X: line {number}" for number in range(100)))
    engine.write(master, "26/11/21 11:58:06 ERROR X: it broke", "java.lang.Error: no", "\tat a.B.c(B.java:1)")
    engine.write(master, "26/11/21 11:58:07 WARN X: careful", "x" * 400)
    async with deck_on(engine) as deck:
        await deck.press("enter")
        await deck.until_seen("careful")
        assert "a.B.c" not in deck.text() and "2 lines of trace" in deck.text()
        await deck.press("k")
        assert not view(deck).follow
        await deck.press("k", "enter")
        await deck.until_seen("a.B.c")
        await deck.press("enter", "G")
        assert view(deck).follow
        await deck.press("slash", *"line 4", "enter")
        assert view(deck).cursor_text().endswith("line 49")
        await deck.press("n")
        assert view(deck).cursor_text().endswith("line 48")
        await deck.press("N")
        assert view(deck).cursor_text().endswith("line 49")
        await deck.press("space", "g", "right_square_bracket")
        assert view(deck).cursor_text().endswith("line 49")
        await deck.press("g")
        assert view(deck).cursor == 0
        await deck.press("ampersand", *"!line", "enter", "G")
        await deck.until(lambda: "line 99" not in deck.text() and "it broke" in deck.text())
        await deck.press("escape", "escape", "v")
        await deck.until(lambda: view(deck).model.level == "warn")
        assert [code // 256 for code in view(deck).model.index] == [100, 103]
        await deck.press("v")
        assert [code // 256 for code in view(deck).model.index] == [100]
        await deck.press("v", "z", "G")
        await deck.until_seen("a.B.c")
        await deck.press("w")
        assert "x" * 300 not in deck.text()
        assert sum(line.count("x") for line in deck.text().splitlines()) >= 400
        await deck.press("w", "t")
        assert view(deck).timestamps
        await deck.press("f")
        assert not view(deck).follow
        await deck.press("f")
        assert view(deck).follow


async def test_export(tmp_path: Path) -> None:
    engine = scripted()
    master = next(item for item in await engine.replicas() if item.service == "spark-master")
    engine.write(master, *(f"line {number}" for number in range(30)), "\x1b[31mred\x1b[0m")
    async with deck_on(engine) as deck:
        for number, (choice, filter_text) in enumerate([([], "line 1"), (["down"], "")]):
            await deck.press("enter")
            await deck.until_seen("line 29")
            if filter_text:
                await deck.press("ampersand", *filter_text, "enter")
            await deck.press("W", *choice, "enter")
            await deck.until(lambda: isinstance(deck.app.screen, AskText))
            file = tmp_path / f"{number}.log"
            deck.app.screen.query_one(Input).value = str(file)
            await deck.press("enter")
            await deck.until(file.exists)
            await deck.press("escape", "escape")
        # A file that is there stays, and another name is offered.
        await deck.press("enter", "W", "enter")
        await deck.until(lambda: isinstance(deck.app.screen, AskText))
        deck.app.screen.query_one(Input).value = str(file)
        await deck.press("enter")
        await deck.until_told("1.log exists and stays as it is: another name?")
        await deck.press("enter")
        await deck.until(lambda: len(list(tmp_path.iterdir())) == 3)
        assert (tmp_path / "0.log").read_text().splitlines() == ["line 1", *(f"line 1{n}" for n in range(10))]
        assert (tmp_path / "1.log").read_text().splitlines() == [*(f"line {n}" for n in range(30)), "red"]


async def test_merged_logs_are_in_the_order_of_time() -> None:
    engine = scripted()
    replicas = {item.service: item for item in await engine.replicas()}
    for number in range(6):
        engine.write(replicas["mlflow" if number % 2 else "jupyter"], f"number {number}")
    engine.write(replicas["spark-master"], "not chosen")
    async with deck_on(engine) as deck:
        await deck.press("7", "space", "8", "space", "L")
        assert isinstance(deck.app.screen, MergedScreen)
        await deck.until_seen("number 5")
        lines = [line for line in deck.text().splitlines() if "number " in line]
        assert [line.split()[-1] for line in lines] == [str(n) for n in range(6)]
        assert "mlflow" in lines[1] and "jupyter" in lines[0]
        assert "not chosen" not in deck.text()


async def test_pages_ends_and_marks() -> None:
    engine = scripted()
    master = next(item for item in await engine.replicas() if item.service == "spark-master")
    engine.write(master, *(f"line {number:03}" for number in range(300)))
    async with deck_on(engine) as deck:
        await deck.press("enter")
        await deck.until_seen("line 299")
        page = view(deck).size.height

        async def at(key: str) -> int:
            await deck.press(key)
            return int(view(deck).cursor_text().split()[1])

        first = await at("ctrl+b")
        assert 299 - 2 * page < first < 299 and not view(deck).follow
        second = await at("ctrl+b")
        assert first - page <= second < first
        assert second < await at("ctrl+f") <= first
        assert await at("pageup") < first
        assert await at("home") == 0
        assert "line 000" in deck.text()
        await deck.press("space", "j", "j", "space")
        assert await at("home") == 0
        assert await at("right_square_bracket") == 3
        assert await at("left_square_bracket") == 0
        await deck.press("end")
        assert view(deck).follow and "line 299" in deck.text()


async def test_all_of_a_merged_view_is_written_by_time(tmp_path: Path) -> None:
    engine = scripted()
    replicas = {item.service: item for item in await engine.replicas()}
    for number in range(3_000):
        engine.write(replicas["mlflow" if number % 3 else "jupyter"], f"number {number}")
    engine.write(replicas["spark-master"], "not chosen")
    async with deck_on(engine) as deck:
        await deck.press("7", "space", "8", "space", "L")
        await deck.until_seen("number 2999")
        await deck.press("W")
        await deck.until_seen("logs mlflow jupyter -n all")
        await deck.press("down", "enter")
        await deck.until(lambda: isinstance(deck.app.screen, AskText))
        file = tmp_path / "all.log"
        deck.app.screen.query_one(Input).value = str(file)
        await deck.press("enter")
        await deck.until(file.exists)
    wanted = [f"{'mlflow' if number % 3 else 'jupyter'} | number {number}" for number in range(3_000)]
    assert file.read_text().splitlines() == wanted
