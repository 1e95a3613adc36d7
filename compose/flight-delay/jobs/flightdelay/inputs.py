"""What there is to read: files, their headers, and whether they are what they say. No Spark here."""

import csv
import gzip
import os
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final

from flightdelay.errors import BadInput
from flightdelay.schema import ROLES, Match, match, nearest

SAMPLE: Final = "sample"
SUFFIXES: Final = (".csv", ".csv.gz", ".parquet")


@dataclass(frozen=True)
class File:
    """A file of flights: its header, and how many columns its rows have."""

    path: Path
    header: tuple[str, ...]
    width: int
    match: Match

    @property
    def parquet(self) -> bool:
        """Whether it is Parquet (else CSV)."""
        return self.path.name.lower().endswith(".parquet")


@dataclass
class Inputs:
    """The files to read, those passed over and why, and the source chosen for each role."""

    path: Path
    files: list[File]
    skipped: list[tuple[Path, str]] = field(default_factory=list)
    chosen: dict[str, int] = field(default_factory=dict)

    def column(self, file: File, role: str) -> tuple[int, str] | None:
        """Position and kind of a role's column in a file; None where the data set as a whole lacks it."""
        columns = file.match.columns[role]
        number = self.chosen.get(role)
        if role == "delay":  # every source gives the same label, so each file may have its own
            number = min(columns)
        if number is None:
            return None
        source = next(r for r in ROLES if r.name == role).sources[number]
        return columns[number], source.kind


def find(path: Path, parquet_columns: Callable[[Path], Sequence[str]]) -> Inputs:
    """Find the flights under path (a file, or a folder with its subfolders) and check their headers.

    Raises BadInput where there is nothing to read or a flights file lacks a column that the job needs.
    """
    if not path.exists():
        raise BadInput(f"{path}: no such file or folder. --input must name flights ({', '.join(SUFFIXES)}).")
    if not os.access(path, os.R_OK):
        raise BadInput(f"{path}: may not be read by user {os.getuid()}. Check its owner and mode.")
    skipped: list[tuple[Path, str]] = []
    files: list[File] = []
    strangers: list[File] = []
    for name in [path] if path.is_file() else _walk(path):
        if name.suffix.lower() == ".zip":
            skipped.append((name, "zip archive: unzip it first"))
        elif not name.name.lower().endswith(SUFFIXES):
            skipped.append((name, f"not {', '.join(SUFFIXES)}"))
        elif name.stat().st_size == 0:
            skipped.append((name, "empty file"))
        else:
            file = _open(name, parquet_columns)
            (files if file.match.looks_like_flights else strangers).append(file)
    # Made-up flights must not dilute real ones: beside others, the generator's folder is passed over.
    others = [file for file in files if not file.path.is_relative_to(path / SAMPLE)]
    if others and len(others) < len(files):
        files = others
        skipped.append((path / SAMPLE, "generated flights, beside other ones"))
    if not files and not strangers:
        where = f"{path}: not a file of flights" if path.is_file() else f"{path}: no flights in this folder"
        listing = "".join(f"\n  {name}: {why}" for name, why in skipped[:5])
        raise BadInput(f"{where}. Expected {', '.join(SUFFIXES)} in the BTS On-Time schema.{listing}")
    broken = [file for file in files if file.match.missing] or (strangers if not files else [])
    if broken:
        raise BadInput("\n".join(_missing(file) for file in broken[:3]))
    skipped += [(file.path, "other columns: not flights") for file in strangers]
    inputs = Inputs(path, files, skipped)
    inputs.chosen = _choose(files)
    return inputs


def _walk(folder: Path) -> Iterator[Path]:
    for root, folders, names in os.walk(folder):
        folders[:] = sorted(f for f in folders if not f.startswith((".", "_")))
        for name in sorted(names):
            if not name.startswith((".", "_")) and not name.endswith(".part"):
                yield Path(root, name)


def _open(path: Path, parquet_columns: Callable[[Path], Sequence[str]]) -> File:
    if path.name.lower().endswith(".parquet"):
        with path.open("rb") as raw:
            head = raw.read(4)
            raw.seek(max(-4, -path.stat().st_size), os.SEEK_END)
            tail = raw.read(4)
        if head != b"PAR1" or tail != b"PAR1":
            raise BadInput(f"{path}: not a whole Parquet file (no PAR1 mark at its start and end).")
        header = tuple(parquet_columns(path))
        return File(path, header, len(header), match(header))
    lines = rows(path)
    header = tuple(name.strip().removeprefix("\ufeff") for name in next(lines, []))
    first = next(lines, list(header))
    if len(header) == 1 and (";" in header[0] or "\t" in header[0]):
        raise BadInput(f"{path}: line 1: columns are separated by ; or tabs. Expected commas.")
    # Custom downloads end each line with a comma; the header need not.
    named = len([name for name in header if name])
    width = len(first) if named <= len(first) and not any(first[named:]) else len(header)
    return File(path, header, width, match(header))


def text(path: Path) -> IO[str]:
    """Open a plain or gzipped text file."""
    if path.name.endswith(".gz"):
        return gzip.open(path, "rt", encoding="utf-8", errors="replace", newline="")
    return path.open(encoding="utf-8", errors="replace", newline="")


def rows(path: Path) -> Iterator[list[str]]:
    """The rows of a CSV file, header first. Raises BadInput where the gzip is damaged."""
    try:
        with text(path) as lines:
            yield from csv.reader(lines)
    except (EOFError, zlib.error, gzip.BadGzipFile) as problem:
        raise BadInput(damaged(path, problem)) from None
    except csv.Error as problem:
        raise BadInput(f"{path}: not a CSV file: {problem}.") from None


def damaged(path: Path, problem: Exception) -> str:
    """The message for a gzip file that ends early or is not gzip at all."""
    if isinstance(problem, EOFError):
        return f"{path}: truncated gzip file: it ends before its end mark. Copy or download it again."
    return f"{path}: not a sound gzip file ({problem}). Copy or download it again."


def first_damaged(files: Sequence[File]) -> str | None:
    """Read the gzip files through, as Spark does not say which one was damaged; None if all are sound."""
    for file in files:
        if file.path.name.endswith(".gz"):
            try:
                with gzip.open(file.path) as raw:
                    while raw.read(1 << 20):
                        pass
            except (EOFError, zlib.error, gzip.BadGzipFile) as problem:
                return damaged(file.path, problem)
    return None


def _missing(file: File) -> str:
    lines = [f"{file.path}: {len(file.match.missing)} of the columns that the job needs are missing:"]
    for role in file.match.missing:
        close = nearest(role, file.header)
        hint = f" (nearest here: {', '.join(close)})" if close else ""
        lines.append(f"  {role.expected}: {role.what}{hint}")
    found = ", ".join(name for name in file.header[:8] if name)
    lines.append(f"  Found: {found}{', ...' if len(file.header) > 8 else ''}")
    return "\n".join(lines)


def _choose(files: Sequence[File]) -> dict[str, int]:
    """For each role the best source that all files share: airport codes and airport ids do not mix."""
    chosen: dict[str, int] = {}
    for role in ROLES:
        if role.name == "delay":
            continue
        shared = set.intersection(*(set(file.match.columns[role.name]) for file in files))
        if shared:
            chosen[role.name] = min(shared)
        elif role.required:
            by_source = {min(file.match.columns[role.name]): file for file in reversed(files)}
            parts = [
                f"\n  {file.path}: {file.header[file.match.columns[role.name][number]]}"
                for number, file in sorted(by_source.items())
            ]
            raise BadInput(
                f"The files do not agree on the {role.what}: one column must be in all of them.{''.join(parts)}"
            )
    return chosen
