"""YAML as compose reads it: anchors and merge keys, each key once, `yes` and `1:30` as text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tui.engine.interface import EngineError

MAX_BYTES = 1024 * 1024
# Aliases can blow a small file up to any size; no compose file comes near these.
MAX_NODES = 100_000
_RESOLVED = {
    "tag:yaml.org,2002:null": (re.compile(r"(?:~|null|Null|NULL|)"), "~nN\0"),
    "tag:yaml.org,2002:bool": (re.compile(r"(?:true|True|TRUE|false|False|FALSE)"), "tTfF"),
    "tag:yaml.org,2002:int": (re.compile(r"[-+]?(?:0|[1-9][0-9]*)"), "-+0123456789"),
    "tag:yaml.org,2002:float": (re.compile(r"[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?"), "-+0123456789."),
    "tag:yaml.org,2002:merge": (re.compile(r"<<"), "<"),
}


@dataclass(frozen=True, slots=True)
class Replaced:
    """What stands in place of all that earlier files say: `!override VALUE`; `!reset` leaves nothing of it."""

    value: Any
    reset: bool = False


class _Loader(yaml.SafeLoader):
    """PyYAML with the plain values of YAML 1.2."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 (as the library has it)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.tag != "tag:yaml.org,2002:merge":
                if key.value in seen:
                    raise yaml.constructor.ConstructorError(
                        None, None, f"the key {key.value!r} is here twice", key.start_mark
                    )
                seen.add(key.value)
        return super().construct_mapping(node, deep)


for _tag, (_pattern, _first) in _RESOLVED.items():
    _whole = re.compile(rf"^(?:{_pattern.pattern})$")
    _Loader.add_implicit_resolver(_tag, _whole, ["" if mark == "\0" else mark for mark in _first])


def _replaced(loader: _Loader, node: yaml.Node) -> Replaced:
    if node.tag == "!reset":
        return Replaced(None, True)
    if isinstance(node, yaml.ScalarNode):
        resolve: Any = loader.resolve
        tag = resolve(yaml.ScalarNode, node.value, (True, False))
    else:
        tag = f"tag:yaml.org,2002:{'map' if isinstance(node, yaml.MappingNode) else 'seq'}"
    plain = type(node)(tag, node.value, node.start_mark, node.end_mark)
    return Replaced(loader.construct_object(plain, deep=True))


for _tag in ("!override", "!reset"):
    _Loader.add_constructor(_tag, _replaced)


def load_yaml(file: Path) -> Any:
    """The plain data of a YAML file. Raises EngineError naming file, line and mistake."""
    try:
        with file.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            raise EngineError(f"{file}: is larger than any compose file ({MAX_BYTES // 1024} KiB).")
        data = yaml.load(content.decode("utf-8"), _Loader)
    except OSError as error:
        raise EngineError(f"{file}: cannot be read: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise EngineError(f"{file}: is not text in UTF-8.") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{file}:{mark.line + 1}" if mark else str(file)
        raise EngineError(f"{where}: is not valid YAML: {getattr(error, 'problem', None) or error}") from None
    except (RecursionError, ValueError):
        raise EngineError(f"{file}: is too deeply nested, or holds a value that cannot be.") from None
    _bounded(data, [MAX_NODES], file)
    return data


def _bounded(value: Any, left: list[int], file: Path) -> None:
    """Refuses what aliases have made larger than any compose file."""
    left[0] -= 1
    if left[0] < 0:
        raise EngineError(f"{file}: its aliases make it larger than any compose file.")
    if isinstance(value, Replaced):
        value = value.value
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        _bounded(item, left, file)
