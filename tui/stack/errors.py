"""What can be wrong with a stack. Every text is meant for the user: what, where, what to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tui.stack.model import Stack


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake. `line` counts from 1; None where it cannot be told."""

    file: Path | None
    line: int | None
    text: str

    def __str__(self) -> str:
        where = [str(part) for part in (self.file, self.line) if part is not None]
        return f"{':'.join(where)}: {self.text}" if where else self.text


class StackError(Exception):
    """A stack that cannot be found, read or written."""


class ProjectError(StackError):
    """A resolved compose project that is not what compose says it is."""


class LayoutError(StackError):
    """A layout with mistakes: all of them, in the order of their lines. `bare` is the stack without it, if there is
    one."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        self.bare: Stack | None = None
        super().__init__("\n".join(str(problem) for problem in self.problems))


def nearest(name: str, known: Sequence[str]) -> str:
    """How a sentence ends that names something unknown: `; did you mean 'x'?`, or a full stop."""
    found = get_close_matches(name, known, n=1)
    return f"; did you mean {found[0]!r}?" if found else "."
