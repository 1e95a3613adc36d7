"""The screen as text and as a map of styles by the theme's own names of colours: one picture for dark and light."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import fields
from itertools import groupby
from string import ascii_letters, digits

from rich.segment import Segment
from rich.style import Style

from tui.deck.app import DeckApp
from tui.deck.theme import palette

LETTERS = ascii_letters + digits + "!#$%&*+=@~"
FLAGS = ("bold", "underline", "italic", "reverse", "dim", "strike", "blink")


def picture(app: DeckApp) -> str:
    """Rows of text; then a row of runs for each (a letter and how many cells have that style); then the letters."""
    names = _names(app.theme)
    letters: dict[str, str] = {}
    texts, maps = [], []
    for strip in app.screen._compositor.render_strips():
        texts.append("".join(segment.text for segment in strip).rstrip())
        runs = []
        for name, cells in groupby(_cells(strip, names)):
            letter = letters.setdefault(name, LETTERS[len(letters)])
            runs.append(f"{letter}{sum(1 for _ in cells)}")
        maps.append("".join(runs))
    legend = [f"{letter} {name}" for name, letter in letters.items()]
    return "\n".join([*texts, "", *maps, "", *legend, ""])


def _cells(strip: Iterable[Segment], names: dict[str, str]) -> Iterator[str]:
    for segment in strip:
        for _ in range(segment.cell_length):
            yield _name(segment.style or Style.null(), names)


def _name(style: Style, names: dict[str, str]) -> str:
    def color(value: str | None) -> str:
        # What is blended has a colour that no theme names.
        return "none" if value is None else names.get(value.lower(), "blend")

    fore = color(style.color.name if style.color else None)
    ground = color(style.bgcolor.name if style.bgcolor else None)
    return " ".join([fore, "on", ground, *(flag for flag in FLAGS if getattr(style, flag))])


def _names(theme: str) -> dict[str, str]:
    colors = palette(theme).colors
    named = {color: f"service-{number}" for number, color in enumerate(colors.services)}
    for field in fields(colors):
        value = getattr(colors, field.name)
        if isinstance(value, str):
            named[value] = field.name
    return named
