"""What a person searches for: texts, expressions, expressions that would never end."""

from __future__ import annotations

import pytest

from tests.deck.harness import deck_on, scripted
from tui.deck.pattern import parse_pattern

# Nothing can be told of it before every way to divide the letters was tried.
ENDLESS, LINE = "(a|aa)+$", "a" * 60 + "!"


@pytest.mark.parametrize(
    ("text", "line", "wanted", "places"),
    [
        ("Lost", "we lost a worker", True, [(3, 7)]),
        ("(a+)+$", "plain (a+)+$", True, [(6, 12)]),
        ("!lost", "we lost a worker", False, [(3, 7)]),
        (r"/w\w/", "we lost a worker", True, [(0, 2), (10, 12)]),
        ("!/x/", "we", True, []),
    ],
)
def test_patterns(text: str, line: str, wanted: bool, places: list[tuple[int, int]]) -> None:
    pattern = parse_pattern(text)
    assert pattern is not None and pattern(line) is wanted and pattern.places(line) == places


def test_an_endless_pattern_is_given_up() -> None:
    pattern = parse_pattern(f"/{ENDLESS}/")
    assert pattern is not None
    assert not pattern.search(LINE) and "takes too long" in pattern.failed
    assert not pattern.search("aa"), "it is not tried again on every line"
    with pytest.raises(ValueError, match="repeats too often"):
        parse_pattern("/((a{1000}){1000}){1000}/")
    with pytest.raises(ValueError, match="no regular expression"):
        parse_pattern("/(/")


@pytest.mark.parametrize("key", ["slash", "ampersand"])
@pytest.mark.parametrize("screen", ["enter", "L"])
async def test_an_endless_pattern_does_not_stop_the_deck(key: str, screen: str) -> None:
    engine = scripted()
    master = next(item for item in await engine.replicas() if item.service == "spark-master")
    engine.write(master, *[LINE] * 2000, "the last one")
    async with deck_on(engine) as deck:
        await deck.press(screen)
        await deck.until_seen("the last one")
        await deck.press(key, *f"/{ENDLESS}/", "enter")
        await deck.until(lambda: any("takes too long" in text for text in deck.messages))
        # It is gone, and everything goes on.
        await deck.until_seen("the last one")
        assert not any("match" in text for text in deck.messages)
        assert f"only /{ENDLESS}" not in deck.text() and f"search /{ENDLESS}" not in deck.text()
