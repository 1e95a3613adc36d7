"""The variables that a stack's compose files demand: `${NAME:?text}` and `${NAME?text}`.

The grammar is that of compose's interpolation (https://docs.docker.com/reference/compose-file/interpolation/).
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from tui.stack.environment import prepare_environment, read_environment
from tui.stack.errors import StackError
from tui.stack.model import Stack

_OPEN = re.compile(r"\$(?:\$|\{([A-Za-z_][A-Za-z0-9_]*)(:?[-?+])?)")


@dataclass(frozen=True, slots=True)
class Missing:
    """A variable that is demanded and not set. `meaning` is what it is for, empty where nobody says."""

    name: str
    meaning: str


def missing_variables(stack: Stack) -> list[Missing]:
    """What the chosen compose files demand and neither `.env` nor the caller's environment sets.

    A file that cannot be read demands nothing here: the engine says what is wrong with it. Raises StackError where
    `.env` cannot be read.
    """
    values = {**read_environment(stack), **os.environ}
    said = stack.layout.variables
    found: dict[str, str] = {}
    for file in stack.files:
        for text in _texts(file):
            for name, message in _demands(text, values):
                found[name] = said.get(name) or found.get(name) or message
    return [Missing(name, meaning) for name, meaning in found.items()]


def demand_variables(stack: Stack, *, starting: bool = False) -> list[str]:
    """Sees to it that every variable is set that the compose files demand.

    Credentials that the layout generates are made when the stack is `starting`; returns what was done, in sentences.
    Raises StackError that lists all that are missing, with what each is for and where to set it.
    """
    made_here = stack.layout.environment
    wanted, done = missing_variables(stack), []
    if starting and wanted and all(one.name in made_here for one in wanted):
        done = prepare_environment(stack, None)
        # One that the environment sets to nothing is missing still.
        wanted = missing_variables(stack)
    elif starting:
        wanted = [one for one in wanted if one.name not in made_here]
    if not wanted:
        return done
    variant = f" (variant {stack.variant.name})" if stack.variant and not stack.variant.default else ""
    wide = max(len(one.name) for one in wanted)
    lines = [f"  {one.name:<{wide}}  {one.meaning or 'its compose file does not say what for'}" for one in wanted]
    how = f"Set them in {stack.env_file} (NAME=value), or in the environment."
    if not starting and all(one.name in made_here for one in wanted):
        how = "sparkdeck setup makes them."
    raise StackError("\n".join([f"{stack.name}{variant} needs variables that are not set:", *lines, how]))


def _texts(file: Path) -> Iterator[str]:
    """Every text of a YAML file, whatever its tags; comments are not among them."""
    try:
        root = yaml.compose(file.read_text("utf-8"), Loader=yaml.SafeLoader)
    except (OSError, UnicodeDecodeError, yaml.YAMLError, RecursionError):
        return
    seen: set[int] = set()
    left = [root] if root is not None else []
    while left:
        node = left.pop(0)
        if id(node) in seen:  # an alias
            continue
        seen.add(id(node))
        if isinstance(node, yaml.ScalarNode):
            yield str(node.value)
        elif isinstance(node, yaml.SequenceNode):
            left = [*node.value, *left]
        elif isinstance(node, yaml.MappingNode):
            left = [*(part for pair in node.value for part in pair), *left]


def _demands(text: str, values: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Names and messages of what a text demands; what stands in a default counts only where that is taken."""
    at = 0
    while match := _OPEN.search(text, at):
        at = match.end()
        name, operator = match[1], match[2] or ""
        if not name:
            continue
        end = _end(text, at)
        inside, at = text[match.end() : end], end
        value = values.get(name)
        is_set = value is not None if not operator.startswith(":") else bool(value)
        if operator.endswith("?") and not is_set:
            yield name, inside.strip()
        elif operator.endswith("-" if not is_set else "+"):
            yield from _demands(inside, values)


def _end(text: str, start: int) -> int:
    """Where the brace closes that is open at `start`."""
    depth = 1
    for index in range(start, len(text)):
        if text[index] == "}":
            depth -= 1
            if depth == 0:
                return index
        elif text[index] == "{" and text[index - 1] == "$":
            depth += 1
    return len(text)
