"""The two themes, dark and light, and the palette that the drawn widgets take their styles from."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache

from rich.style import Style
from textual.theme import Theme

DARK = "sparkdeck-dark"
LIGHT = "sparkdeck-light"


def no_color() -> bool:
    """Whether the user wants no colours (no-color.org)."""
    return bool(os.environ.get("NO_COLOR"))


@dataclass(frozen=True, slots=True)
class Colors:
    """The colours of a theme. Text on its ground has a contrast of at least 4.5 to 1."""

    ground: str
    raised: str
    text: str
    dim: str
    line: str
    accent: str
    good: str
    warn: str
    bad: str
    first: str
    second: str
    cursor: str
    found: str
    services: tuple[str, ...]


_DARK = Colors(
    ground="#14171c",
    raised="#1e232b",
    text="#d8dde6",
    dim="#8a93a2",
    line="#3a424e",
    accent="#f0a35e",
    good="#7fc98f",
    warn="#e5c07b",
    bad="#f07a7a",
    first="#6cb6e8",
    second="#b59bea",
    cursor="#2c3542",
    found="#5c4a1e",
    services=("#6cb6e8", "#7fc98f", "#e5c07b", "#b59bea", "#f0a35e", "#62c6bf", "#e58fb4", "#a7b4c8"),
)
_LIGHT = Colors(
    ground="#fbfaf7",
    raised="#eeece6",
    text="#22262c",
    dim="#626975",
    line="#c3c1b9",
    accent="#a04e00",
    good="#1f7035",
    warn="#7d5a00",
    bad="#b3261e",
    first="#0b62a0",
    second="#6a41b0",
    cursor="#dde6f0",
    found="#ffe08a",
    services=("#0b62a0", "#1f7035", "#7d5a00", "#6a41b0", "#a04e00", "#00696b", "#a02c6a", "#4d5866"),
)


class Palette:
    """Ready-made styles of one theme, all with their ground."""

    def __init__(self, colors: Colors) -> None:
        def on(color: str, ground: str = colors.ground, **more: bool) -> Style:
            return Style(color=color, bgcolor=ground, **more)  # type: ignore[arg-type]

        self.colors = colors
        self.text = on(colors.text)
        self.strong = on(colors.text, bold=True)
        self.dim = on(colors.dim)
        self.line = on(colors.line)
        self.accent = on(colors.accent)
        self.title = on(colors.accent, bold=True)
        self.good = on(colors.good)
        self.warn = on(colors.warn)
        self.bad = on(colors.bad, bold=True)
        self.first = on(colors.first)
        self.second = on(colors.second)
        self.link = on(colors.first, underline=True)
        # Where there are no colours, what has only its ground to be told by is reversed.
        plain = no_color()
        self.cursor = Style(reverse=True) if plain else Style(bgcolor=colors.cursor)
        self.found = Style(reverse=True, bold=True) if plain else Style(bgcolor=colors.found, bold=True)
        self.banner = Style(color=colors.ground, bgcolor=colors.bad, bold=True, reverse=plain)
        self.bar = on(colors.dim, colors.raised)
        self.bar_strong = on(colors.text, colors.raised, bold=True)
        self.bar_key = on(colors.accent, colors.raised, bold=True)
        self.services = tuple(on(color) for color in colors.services)

    def named(self, name: str) -> Style:
        """A style by its name."""
        style = getattr(self, name)
        assert isinstance(style, Style)
        return style


@cache
def palette(theme: str) -> Palette:
    """The palette of a theme; of one that is not ours the dark one."""
    return Palette(_LIGHT if theme == LIGHT else _DARK)


def themes() -> list[Theme]:
    """Both themes as Textual wants them, for inputs, lists and dialogs."""
    return [
        Theme(
            name=name,
            primary=colors.first,
            secondary=colors.second,
            accent=colors.accent,
            warning=colors.warn,
            error=colors.bad,
            success=colors.good,
            foreground=colors.text,
            background=colors.ground,
            surface=colors.ground,
            panel=colors.raised,
            dark=name == DARK,
            variables={
                "border": colors.line,
                "text-muted": colors.dim,
                "block-cursor-background": colors.cursor,
                "block-cursor-foreground": colors.text,
                "block-cursor-text-style": "bold",
                "scrollbar": colors.line,
                "scrollbar-hover": colors.dim,
                "scrollbar-active": colors.accent,
                "scrollbar-background": colors.ground,
                "scrollbar-background-hover": colors.ground,
                "scrollbar-background-active": colors.ground,
                "scrollbar-corner-color": colors.ground,
                "input-cursor-background": colors.text,
                "input-cursor-foreground": colors.ground,
                "input-selection-background": colors.cursor,
            },
        )
        for name, colors in ((DARK, _DARK), (LIGHT, _LIGHT))
    ]
