"""The raw record: all that the engine knows, without its secrets until they are asked for."""

from __future__ import annotations

from textual.widgets import Label

from tests.deck.harness import Deck, deck_on, scripted
from tui.deck.screens.inspect import RECORD_LINES, InspectScreen
from tui.stack.secrets import MASK


async def page(deck: Deck, *keys: str) -> str:
    """What the whole page says after these keys."""
    await deck.press(*keys)
    await deck.until(lambda: isinstance(deck.app.screen, InspectScreen))
    label = deck.app.screen.query_one(Label)
    await deck.until(lambda: "asking ..." not in str(label.content))
    return str(label.content)


async def test_the_engines_record_is_shown() -> None:
    engine = scripted()
    others = (
        "FERNET_KEY=sesame",
        "SIGNING_KEY=sesame",
        "CACHE=redis://:ses/ame@db",
        "DSN=Server=db;Password=sesame;A=b",
    )
    engine.env = [
        "S3_SECRET_KEY=sesame",
        *others,
        "COLOUR=red",
        "ODD=\x1b[31m\x07",
        *(f"N{n}=1" for n in range(RECORD_LINES)),
    ]
    async with deck_on(engine) as deck:
        text = await page(deck, "2", "i")
        assert "COLOUR=red" in text and f"S3_SECRET_KEY={MASK}" in text and "sesame" not in text
        assert f"redis://:{MASK}@db" in text and f"Password={MASK};A=b" in text and "ses/ame" not in text
        assert "\x1b" not in text and "\x07" not in text and "more lines" in text
        assert "S3_SECRET_KEY=sesame" in await page(deck, "V")
        assert "sesame" not in await page(deck, "V")


async def test_a_record_that_cannot_be_read() -> None:
    engine = scripted()
    engine.fail("record", "the engine keeps it to itself")
    async with deck_on(engine) as deck:
        assert "the engine keeps it to itself" in await page(deck, "2", "i")


async def test_the_processes_of_the_chosen_replica() -> None:
    engine = scripted()
    chosen = next(item for item in await engine.replicas() if item.service == "spark-worker-1")
    engine.change(chosen, command=("work", "--password=sesame"))
    async with deck_on(engine) as deck:
        text = await page(deck, "2", "i")
        assert f"1    work --password={MASK}" in text and "sesame" not in text
        assert "1    work --password=sesame" in await page(deck, "V")
