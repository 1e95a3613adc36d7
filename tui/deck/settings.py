"""The user's own settings: config.yaml in the folder that the system keeps for it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from platformdirs import user_config_path

from tui.deck.actions import BY_ID, clashes
from tui.deck.theme import DARK, LIGHT
from tui.stack.errors import Problem, nearest
from tui.stack.yamlfile import Document, read_yaml

KNOWN = ("theme", "reduced_motion", "mouse", "keys")


@dataclass(frozen=True, slots=True)
class Settings:
    """What the config file says. `problems` are its mistakes, each with file and line; the rest is used."""

    theme: str = "dark"
    reduced_motion: bool = False
    mouse: bool = True
    keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    problems: tuple[str, ...] = ()
    strict: bool = False
    """For tests: mistakes of the deck itself are raised."""

    def theme_name(self) -> str:
        """The theme as Textual knows it."""
        return LIGHT if self.theme == "light" else DARK


def _of_terminal() -> str:
    """The theme for the ground that the terminal names in COLORFGBG ("15;0"); dark where it names none."""
    return "light" if os.environ.get("COLORFGBG", "").rpartition(";")[2] in ("7", "15") else "dark"


def config_file() -> Path:
    """Where the config file is looked for; it need not exist."""
    return user_config_path("sparkdeck") / "config.yaml"


def load_settings(file: Path | None = None) -> Settings:
    """Reads the config file; without one the defaults. Never raises: mistakes are in `problems`."""
    file = file or config_file()
    motion = os.environ.get("TEXTUAL_ANIMATIONS") == "none"
    if not file.is_file():
        return Settings(_of_terminal(), motion)
    document = read_yaml(file)
    problems = [str(problem) for problem in document.problems]
    data = document.data if isinstance(document.data, dict) else {}
    if document.data is not None and not isinstance(document.data, dict):
        problems.append(str(Problem(file, 1, "is not a mapping of settings")))

    def wrong(path: tuple[str | int, ...], what: str) -> None:
        problems.append(str(Problem(file, document.line(path), what)))

    for name in data:
        if name not in KNOWN:
            wrong((name,), f"there is no setting {name!r}{nearest(str(name), KNOWN)}")
    theme = data.get("theme", _of_terminal())
    if theme not in ("dark", "light"):
        wrong(("theme",), f"theme is dark or light, not {theme!r}")
        theme = _of_terminal()
    flags = {"reduced_motion": motion, "mouse": True}
    for name in flags:
        if name in data and not isinstance(data[name], bool):
            wrong((name,), f"{name} is true or false, not {data[name]!r}")
        elif name in data:
            flags[name] = bool(data[name])
    keys = _keys(data.get("keys"), document, wrong)
    return Settings(str(theme), flags["reduced_motion"], flags["mouse"], keys, tuple(problems))


def _keys(data: Any, document: Document, wrong: Any) -> dict[str, tuple[str, ...]]:
    if data is None:
        return {}
    if not isinstance(data, dict):
        wrong(("keys",), "keys is a mapping of action to key or list of keys")
        return {}
    found: dict[str, tuple[str, ...]] = {}
    for name, value in data.items():
        if name not in BY_ID:
            wrong(("keys", name), f"there is no action {name!r}{nearest(str(name), list(BY_ID))}")
            continue
        values = value if isinstance(value, list) else [value]
        texts = tuple(str(item) for item in values if item is not None)
        found[str(name)] = texts
    for key, first, second in clashes(found):
        # The user's own key wins over a default one; of two own ones the first.
        loser = first if first not in found else second
        line = document.line(("keys", second if second in found else first))
        problem = f"the key {key!r} is wanted by {first!r} and {second!r}; {loser!r} does not get it"
        wrong(("keys", second if second in found else first), problem) if line else None
        found[loser] = tuple(other for other in found.get(loser, BY_ID[loser].keys) if other != key)
    return found
