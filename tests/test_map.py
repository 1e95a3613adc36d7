"""The map in tui/README.md is true: what it names is there, and every room is on it."""

from __future__ import annotations

import re
from functools import reduce
from importlib import import_module
from pathlib import Path

import tui

ROOMS = Path(tui.__file__).parent
MAP = (ROOMS / "README.md").read_text()
NAMED = sorted(set(re.findall(r"`([\w/]+\.py)(?::([\w.]+))?`", MAP)))


def test_everything_it_names_exists() -> None:
    assert len(NAMED) > 30
    for file, name in NAMED:
        assert (ROOMS / file).is_file(), file
        if name:
            dotted = file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
            reduce(getattr, name.split("."), import_module(f"tui.{dotted}"))


def test_every_room_is_on_it() -> None:
    rooms = {folder.parent.name for folder in ROOMS.glob("*/__init__.py")}
    assert rooms == set(re.findall(r"^\| `(\w+)/` \|", MAP, re.MULTILINE))


def test_its_order_of_the_rooms_is_the_contracts() -> None:
    contracts = (ROOMS.parent / "pyproject.toml").read_text()
    layers = re.findall(r'"([^"]+)"', re.findall(r"^layers = \[(.*)\]$", contracts, re.MULTILINE)[0])
    assert " -> ".join(layers).replace("tui.", "") in MAP
