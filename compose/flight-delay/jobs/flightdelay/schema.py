"""The BTS On-Time Performance columns, under each of the names they come with (see ../columns.json)."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Final


@dataclass(frozen=True)
class Source:
    """One way in which a role is given: its kind (code, id, minutes...) and its known column names."""

    kind: str
    names: tuple[str, ...]


@dataclass(frozen=True)
class Role:
    """A column that the job reads, whatever it is called in the file; sources in order of preference."""

    name: str
    what: str
    required: bool
    sources: tuple[Source, ...]

    @property
    def expected(self) -> str:
        """The names that would do, for messages."""
        return " or ".join(source.names[0] for source in self.sources)


def _read_roles() -> tuple[Role, ...]:
    raw = json.loads((Path(__file__).parent.parent / "columns.json").read_text())
    return tuple(
        Role(name, r["what"], r["required"], tuple(Source(k["kind"], tuple(k["names"])) for k in r["kinds"]))
        for name, r in raw.items()
    )


ROLES: Final = _read_roles()


def normal(name: str) -> str:
    """A column name without case and punctuation: FL_DATE and Fl Date are the same."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


@dataclass(frozen=True)
class Match:
    """Which columns of a header serve which role: {role: {source number: column position}}."""

    columns: dict[str, dict[int, int]]

    @property
    def missing(self) -> list[Role]:
        """Required roles without any column."""
        return [role for role in ROLES if role.required and not self.columns[role.name]]

    @property
    def looks_like_flights(self) -> bool:
        """At least half of the required roles are there: then it is a flights file, perhaps a broken one."""
        required = [role for role in ROLES if role.required]
        return len(required) - len(self.missing) >= len(required) / 2


def match(header: Sequence[str]) -> Match:
    """Find the roles' columns in a header; the first column wins where a name comes twice."""
    positions: dict[str, int] = {}
    for position, name in enumerate(header):
        positions.setdefault(normal(name), position)
    found: dict[str, dict[int, int]] = {}
    for role in ROLES:
        found[role.name] = {}
        for number, source in enumerate(role.sources):
            hits = [positions[normal(name)] for name in source.names if normal(name) in positions]
            if hits:
                found[role.name][number] = hits[0]
    return Match(found)


def nearest(role: Role, header: Sequence[str]) -> list[str]:
    """Up to two columns of the header whose names come close to what the role expects."""
    by_normal = {normal(name): name for name in header if name.strip()}
    close: list[str] = []
    for source in role.sources:
        for name in source.names:
            close += get_close_matches(normal(name), list(by_normal), n=2, cutoff=0.75)
    return [by_normal[name] for name in dict.fromkeys(close)][:2]
