"""YAML read with the line of every key and item, so that each mistake can be reported where it is.

Only what layouts need: true, false, null and decimal numbers are typed, everything else is text (`yes`, `1.5`
and dates too, as an author means them). Tags and merge keys are not taken; nothing is ever constructed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from yaml.reader import ReaderError

from tui.stack.errors import Problem

MAX_BYTES = 256 * 1024
# Aliases can blow a small file up to any size; no layout comes near these.
MAX_NODES = 20_000
MAX_DEPTH = 30

_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,17})")
_KINDS = ("str", "int", "float", "bool", "null", "timestamp", "merge", "value", "seq", "map")
_TAGS = frozenset(f"tag:yaml.org,2002:{kind}" for kind in _KINDS)

KeyPath = tuple[str | int, ...]


@dataclass(slots=True)
class Document:
    """A YAML file: its data (None if it could not be read), the line of each key and item, its mistakes."""

    file: Path
    data: Any = None
    lines: dict[KeyPath, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def line(self, path: KeyPath) -> int | None:
        """The line of a key or item, or of the nearest one that holds it."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path)


class _TooLarge(Exception):
    """Aliases make the file larger than any layout is."""


def read_yaml(file: Path) -> Document:
    """Reads a YAML file. Never raises: what is wrong is in the document's problems."""
    document = Document(file)

    def wrong(line: int | None, what: str) -> None:
        document.problems.append(Problem(file, line, what))

    text = ""
    try:
        text = _read_text(file)
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        document.data = _Reader(document).value(root, (), 0) if root is not None else None
    except OSError as error:
        wrong(None, f"cannot be read: {error.strerror or error}")
    except UnicodeDecodeError:
        wrong(None, "is not text in UTF-8")
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        said = ", ".join(part for part in (error.context, error.problem) if part)
        wrong(mark.line + 1 if mark else None, f"is not valid YAML: {said}")
    except ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        wrong(line, f"is not valid YAML: {str(error).splitlines()[0]}")
    except (_TooLarge, RecursionError):
        document.data = None
        wrong(None, "is too large or too deeply nested for a layout")
    return document


def root_keys(file: Path) -> frozenset[str]:
    """The top-level keys of a YAML file; none where it is no mapping or cannot be read."""
    try:
        root = yaml.compose(_read_text(file), Loader=yaml.SafeLoader)
    except (OSError, UnicodeDecodeError, yaml.YAMLError, _TooLarge, RecursionError):
        return frozenset()
    if not isinstance(root, yaml.MappingNode):
        return frozenset()
    return frozenset(key.value for key, _ in root.value if isinstance(key, yaml.ScalarNode))


def _read_text(file: Path) -> str:
    with file.open("rb") as stream:
        content = stream.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise _TooLarge
    return content.decode("utf-8")


class _Reader:
    """Turns YAML nodes into plain data and notes lines and mistakes on the way."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.count = 0

    def wrong(self, node: yaml.Node, text: str) -> None:
        problem = Problem(self.document.file, node.start_mark.line + 1, text)
        if problem not in self.document.problems:  # an alias leads here again
            self.document.problems.append(problem)

    def value(self, node: yaml.Node, path: KeyPath, depth: int) -> Any:
        self.count += 1
        if self.count > MAX_NODES or depth > MAX_DEPTH:
            raise _TooLarge
        self.document.lines.setdefault(path, node.start_mark.line + 1)
        if node.tag not in _TAGS:
            self.wrong(node, f"the tag {node.tag!r} is not allowed here; write a plain value")
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path, depth)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(item, (*path, number), depth + 1) for number, item in enumerate(node.value)]
        return _scalar(node)

    def _mapping(self, node: yaml.MappingNode, path: KeyPath, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                self.wrong(key, "a key must be a plain name")
                continue
            if key.value in found:
                first = self.document.lines[(*path, key.value)]
                self.wrong(key, f"the key {key.value!r} is here twice (first in line {first}); keep one")
                continue
            self.document.lines[(*path, key.value)] = key.start_mark.line + 1
            found[key.value] = self.value(value, (*path, key.value), depth + 1)
        return found


def _scalar(node: yaml.Node) -> str | int | bool | None:
    text = str(node.value)
    if getattr(node, "style", None) is not None:  # quoted or a block: always text
        return text
    if text in ("true", "false"):
        return text == "true"
    if text in ("", "~", "null"):
        return None
    return int(text) if _NUMBER.fullmatch(text) else text
