"""Reading a folder of SCADA files, and writing files whole or not at all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd

from windpower.clean import UnusableData

MANIFEST = "_generated.json"


def scada_files(folder: Path) -> list[Path]:
    """The Parquet and CSV files of a folder and the folders below it, by name."""
    found = (path for path in folder.rglob("*") if path.suffix.lower() in (".parquet", ".csv"))
    return sorted(path for path in found if path.is_file() and not path.name.startswith((".", "_")))


def read_scada(folder: Path) -> pd.DataFrame:
    """All rows of all files as they are. Raises UnusableData where there is none or one cannot be read."""
    tables = []
    for path in scada_files(folder):
        try:
            tables.append(_read(path))
        except (ValueError, OSError) as problem:  # pandas' and pyarrow's errors are ValueErrors
            raise UnusableData(f"{path} cannot be read: {str(problem).splitlines()[0]}") from problem
    if not tables:
        raise UnusableData(
            f"No Parquet or CSV file in {folder}. Put your SCADA files there, or make a sample: "
            "sparkdeck --stack wind-power data"
        )
    return pd.concat(tables, ignore_index=True)


def _read(path: Path) -> pd.DataFrame:
    if path.suffix.lower() == ".parquet":
        table = pd.read_parquet(path)
        # A table that was saved with its times as the index.
        return table if table.index.name is None else table.reset_index()
    with path.open(encoding="utf-8-sig") as lines:
        semicolons = lines.readline().count(";") > 1
    # Everything as text where a column has some: clean() counts what cannot be read.
    separator, decimal = (";", ",") if semicolons else (",", ".")
    return pd.read_csv(path, sep=separator, decimal=decimal, encoding="utf-8-sig", low_memory=False)


def manifest(folder: Path) -> dict[str, Any] | None:
    """What the generator has written about a folder's data, None for data of other origin."""
    try:
        found: dict[str, Any] = json.loads((folder / MANIFEST).read_text())
    except (OSError, ValueError):
        return None
    return found


def write_json(path: Path, content: object) -> None:
    """Writes a JSON file whole or not at all; makes its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.write_text(json.dumps(content, indent=2) + "\n")
    part.replace(path)
