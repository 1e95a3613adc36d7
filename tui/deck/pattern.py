"""What a person searches for or filters by. A regular expression of theirs has a time limit."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from math import prod
from typing import Any

# Of processor time: what every line may take, what all of them may take beyond that.
LINE_SECONDS, MORE_SECONDS = 0.0002, 0.5
# Repeats within repeats are unrolled when an expression is compiled.
MOST_REPEATS = 10_000


class Pattern:
    """A plain text without regard to case, or `/a regular expression/`; `!` before it turns it round."""

    def __init__(self, text: str, expression: Any, *, inverse: bool = False, limited: bool = False) -> None:
        self.text = text
        self.failed = ""
        """Why it was given up; from then on it finds nothing."""
        self._expression = expression
        self._inverse = inverse
        self._limited = limited
        self._left = MORE_SECONDS

    def search(self, line: str) -> bool:
        """Whether it is in a line."""
        return bool(self._ask(self._expression.search, line, None))

    def places(self, line: str) -> list[tuple[int, int]]:
        """Where in a line it is, from and to."""
        found: list[tuple[int, int]] = self._ask(self._spans, line, [])
        return found

    def _spans(self, line: str, **limit: float) -> list[tuple[int, int]]:
        return [one.span() for one in self._expression.finditer(line, **limit)]

    def _ask(self, ask: Callable[..., Any], line: str, nothing: Any) -> Any:
        if not self._limited:
            return ask(line)
        if self.failed:
            return nothing
        began = time.thread_time()
        try:
            found = ask(line, timeout=self._left)
        except TimeoutError:
            found, self._left = nothing, 0.0
        self._left -= max(0.0, time.thread_time() - began - LINE_SECONDS)
        if self._left <= 0:
            self.failed = f"{self.text}: this pattern takes too long and was given up. A simpler one finds more."
        return found

    def __call__(self, line: str) -> bool:
        """Whether a line is wanted."""
        return self.search(line) is not self._inverse


def parse_pattern(text: str) -> Pattern | None:
    """A pattern from what a person typed; None from nothing. Raises ValueError with the reason."""
    inverse = text.startswith("!")
    body = text[1:] if inverse else text
    if not body:
        return None
    if not (body.startswith("/") and len(body) > 1):
        return Pattern(text, re.compile(re.escape(body), re.IGNORECASE), inverse=inverse)
    import regex  # only once somebody needs it

    expression = body[1:-1] if body.endswith("/") and len(body) > 2 else body[1:]
    if prod(max(1, int(count)) for count in re.findall(r"(\d{1,9})\}", expression)) > MOST_REPEATS:
        raise ValueError(f"{expression!r} repeats too often.")
    try:
        return Pattern(text, regex.compile(expression, regex.IGNORECASE), inverse=inverse, limited=True)
    except regex.error as error:
        raise ValueError(f"{expression!r} is no regular expression: {error}") from error
