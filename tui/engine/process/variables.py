"""`$NAME`, `${NAME:-default}` and their kin in a compose file, as the compose specification has them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from tui.engine.interface import EngineError

_START = re.compile(r"\$(?:(?P<escaped>\$)|(?P<plain>[A-Za-z_]\w*)|\{(?P<braced>[A-Za-z_]\w*)(?P<mark>:?[-?+]|\}))")
_DEPTH = 20


class Variables:
    """What is known, and what a compose file asked for: `asked` holds each name's value in the end."""

    def __init__(self, known: Mapping[str, str]) -> None:
        self.known = dict(known)
        self.asked: dict[str, str] = {}

    def filled(self, value: Any, at: str) -> Any:
        """Data with the variables of all its texts filled in; keys stay. Raises EngineError with file and key."""
        if isinstance(value, dict):
            return {key: self.filled(item, f"{at}.{key}") for key, item in value.items()}
        if isinstance(value, list):
            return [self.filled(item, f"{at}[{number}]") for number, item in enumerate(value)]
        return self.fill(value, at) if isinstance(value, str) else value

    def fill(self, text: str, at: str, depth: int = 0) -> str:
        """A text with its variables filled in; an unknown one without a default is empty. Raises EngineError."""
        if depth > _DEPTH:
            raise EngineError(f"{at}: the variables are nested too deeply.")
        done, place = "", 0
        while (dollar := text.find("$", place)) >= 0:
            done += text[place:dollar]
            match = _START.match(text, dollar)
            if match is None:
                raise EngineError(f"{at}: {text!r} has a $ that starts no variable; write $$ for a plain $.")
            place = match.end()
            if match["escaped"]:
                done += "$"
            elif match["plain"] or match["mark"] == "}":
                done += self._value(match["plain"] or match["braced"], "-", "", at)
            else:
                end = _closing(text, place, at)
                word = text[place:end]
                done += self._value(match["braced"], match["mark"], word, at, depth)
                place = end + 1
        return done + text[place:]

    def _value(self, name: str, mark: str, word: str, at: str, depth: int = 0) -> str:
        known = self.known.get(name)
        has = bool(known) if mark.startswith(":") else known is not None
        if mark.endswith("+"):
            return self.fill(word, at, depth + 1) if has else ""
        if not has and mark.endswith("?"):
            said = self.fill(word, at, depth + 1)
            raise EngineError(f"{at}: {name} must be set in .env{': ' + said if said else ''}.")
        value = known if has and known is not None else self.fill(word, at, depth + 1)
        self.asked[name] = value
        return value


def _closing(text: str, start: int, at: str) -> int:
    """Where the brace closes that opened before `start`, braces in between counted."""
    depth = 1
    for place in range(start, len(text)):
        depth += (text[place] == "{" and text[place - 1] == "$") - (text[place] == "}")
        if depth == 0:
            return place
    raise EngineError(f"{at}: {text!r} has a ${{ without its }}.")
