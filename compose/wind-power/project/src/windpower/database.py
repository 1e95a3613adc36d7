"""The SQLite database that the stream, inference and the page share.

In WAL mode readers and the one writer do not wait for each other, and a writer waits for another one. Every service
makes the tables when it connects: whoever comes first, nobody finds a table missing.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd

from windpower.columns import STEP_MINUTES, TIME, VALUES

WAIT_SECONDS = 30.0

_TABLES = f"""
CREATE TABLE IF NOT EXISTS measurements (
    {TIME} TEXT PRIMARY KEY,
    {", ".join(f"{name} REAL" for name in VALUES)}
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS predictions (
    {TIME} TEXT PRIMARY KEY,
    predicted REAL,
    measured REAL,
    note TEXT,
    version TEXT NOT NULL,
    made REAL NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS models (
    version TEXT PRIMARY KEY,
    run_id TEXT NOT NULL,
    trained REAL NOT NULL,
    test_mae REAL,
    mae_limit REAL,
    mape_limit REAL,
    since REAL NOT NULL
) WITHOUT ROWID;
"""


@contextmanager
def connected(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection to the database, made with its folder and tables where it is not there; closed afterwards."""
    path.parent.mkdir(parents=True, exist_ok=True)
    database = sqlite3.connect(path, timeout=WAIT_SECONDS, isolation_level=None)
    try:
        _prepare(database)
        yield database
    finally:
        database.close()


def _prepare(database: sqlite3.Connection) -> None:
    until = time.monotonic() + WAIT_SECONDS
    while True:
        try:
            # Changing the mode does not wait for others as everything else does.
            database.execute("PRAGMA journal_mode=WAL")
            break
        except sqlite3.OperationalError:
            if time.monotonic() > until:
                raise
            time.sleep(0.05)
    database.execute("PRAGMA synchronous=NORMAL")
    wanted = {"measurements", "predictions", "models"}
    have = {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if not wanted <= have:
        with _writing(database):
            for statement in _TABLES.split(";\n"):
                database.execute(statement)


@contextmanager
def _writing(database: sqlite3.Connection) -> Iterator[None]:
    """A transaction that holds the writer's lock from its start: one that asks for it later cannot wait for it."""
    database.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        database.execute("ROLLBACK")
        raise
    database.execute("COMMIT")


def _text(moment: Any) -> str:
    return str(pd.Timestamp(moment).strftime("%Y-%m-%d %H:%M"))


def add_measurement(database: sqlite3.Connection, moment: Any, values: Sequence[float | None]) -> bool:
    """Writes one point, `values` in the order of VALUES; False where its time was there already."""
    marks = ", ".join("?" * (1 + len(VALUES)))
    with _writing(database):
        done = database.execute(f"INSERT OR IGNORE INTO measurements VALUES ({marks})", (_text(moment), *values))
    return done.rowcount > 0


def newest(database: sqlite3.Connection, table: str) -> pd.Timestamp | None:
    """The newest time of `measurements` or `predictions`."""
    if table not in ("measurements", "predictions"):
        raise ValueError(table)
    (found,) = database.execute(f"SELECT max({TIME}) FROM {table}").fetchone()
    return None if found is None else pd.Timestamp(found)


def waiting(database: sqlite3.Connection) -> int:
    """How many measurements have no prediction."""
    (count,) = database.execute(
        f"SELECT count(*) FROM measurements WHERE {TIME} NOT IN (SELECT {TIME} FROM predictions)"
    ).fetchone()
    return int(count)


def new_measurements(database: sqlite3.Connection, history: int, limit: int) -> pd.DataFrame:
    """The oldest `limit` measurements without a prediction, marked `new`; before them `history` points' time."""
    columns = f"{TIME}, {', '.join(VALUES)}"
    missing = f"SELECT {TIME} FROM measurements WHERE {TIME} NOT IN (SELECT {TIME} FROM predictions)"
    times = [row[0] for row in database.execute(f"{missing} ORDER BY {TIME} LIMIT ?", (limit,))]
    if not times:
        return pd.DataFrame(columns=[TIME, *VALUES, "new"])
    start = _text(pd.Timestamp(times[0]) - pd.Timedelta(minutes=history * STEP_MINUTES))
    rows = database.execute(
        f"SELECT {columns} FROM measurements WHERE {TIME} BETWEEN ? AND ? ORDER BY {TIME}", (start, times[-1])
    ).fetchall()
    table = pd.DataFrame(rows, columns=[TIME, *VALUES])
    table["new"] = table[TIME].isin(times)
    table[TIME] = pd.to_datetime(table[TIME])
    return table.astype(dict.fromkeys(VALUES, "float64"))


def add_predictions(database: sqlite3.Connection, rows: pd.DataFrame) -> None:
    """Writes predictions (time, predicted, measured, note, version); those of times that are there stay as they are."""
    table = rows[[TIME, "predicted", "measured", "note", "version"]]
    table = table.astype(object).where(table.notna(), None)
    made = time.time()
    values: Iterable[tuple[Any, ...]] = ((_text(row[0]), *row[1:], made) for row in table.itertuples(index=False))
    with _writing(database):
        database.executemany("INSERT OR IGNORE INTO predictions VALUES (?, ?, ?, ?, ?, ?)", values)


def predictions(database: sqlite3.Connection, last: int) -> pd.DataFrame:
    """The newest `last` predictions, oldest first: time, predicted, measured, note, version, made (Unix time)."""
    columns = [TIME, "predicted", "measured", "note", "version", "made"]
    rows = database.execute(f"SELECT {', '.join(columns)} FROM predictions ORDER BY {TIME} DESC LIMIT ?", (last,))
    table = pd.DataFrame(rows.fetchall()[::-1], columns=columns)
    table[TIME] = pd.to_datetime(table[TIME])
    return table.astype({"predicted": "float64", "measured": "float64"})


def use_model(database: sqlite3.Connection, model: dict[str, Any]) -> None:
    """Notes which model predicts from now on: version, run_id, trained, test_mae, mae_limit, mape_limit."""
    names = ("version", "run_id", "trained", "test_mae", "mae_limit", "mape_limit")
    with _writing(database):
        database.execute(
            "INSERT OR REPLACE INTO models VALUES (?, ?, ?, ?, ?, ?, ?)",
            (*(model[name] for name in names), time.time()),
        )


def model_in_use(database: sqlite3.Connection) -> dict[str, Any] | None:
    """What `use_model` noted last, and `since` when (Unix time); None before."""
    found = database.execute("SELECT * FROM models ORDER BY since DESC LIMIT 1")
    row = found.fetchone()
    return None if row is None else dict(zip((item[0] for item in found.description), row, strict=True))


def counts(database: sqlite3.Connection) -> dict[str, int]:
    """Rows of `measurements` and `predictions`."""
    return {
        name: int(database.execute(f"SELECT count(*) FROM {name}").fetchone()[0])
        for name in ("measurements", "predictions")
    }
