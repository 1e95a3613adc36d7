"""The database that three services share: tables are always there, nobody is locked out, nothing is lost or doubled."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from windpower import database, generate
from windpower.columns import TIME, VALUES, WIND
from windpower.stream import points

WRITER = """
import sys
from pathlib import Path
import pandas as pd
from windpower import database
path, name, count = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
times = pd.date_range("2024-01-01", periods=count, freq="10min")
for start in range(0, count, 20):
    with database.connected(path) as shared:
        for moment in times[start:start + 20]:
            if name == "measurements":
                database.add_measurement(shared, moment, [1.0] * 13)
            else:
                row = {"Timestamps": [moment], "predicted": 1.0, "measured": 1.0, "note": None, "version": "1"}
                database.add_predictions(shared, pd.DataFrame(row))
                database.predictions(shared, 100)
"""


def test_every_connection_finds_its_tables(tmp_path: Path) -> None:
    path = tmp_path / "not" / "yet" / "there.db"
    with database.connected(path) as shared:
        assert database.counts(shared) == {"measurements": 0, "predictions": 0}
        assert database.newest(shared, "predictions") is None
        assert database.model_in_use(shared) is None
        assert len(database.new_measurements(shared, 30, 10)) == 0
        assert len(database.predictions(shared, 10)) == 0
        assert shared.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_a_table_that_somebody_took_away_is_made_again(tmp_path: Path) -> None:
    path = tmp_path / "some.db"
    with database.connected(path) as shared:
        database.add_measurement(shared, "2024-01-01", [1.0] * len(VALUES))
        shared.execute("DROP TABLE predictions")
    with database.connected(path) as shared:
        assert database.counts(shared) == {"measurements": 1, "predictions": 0}


def test_four_processes_write_and_read_at_once(tmp_path: Path) -> None:
    path, count = tmp_path / "shared.db", 200
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path), name, str(count)],
            env={"PYTHONPATH": str(Path(database.__file__).parents[1])},
            stderr=subprocess.PIPE,
            text=True,
        )
        for name in ("measurements", "measurements", "predictions", "predictions")
    ]
    said = [writer.communicate(timeout=120)[1] for writer in writers]
    assert [writer.returncode for writer in writers] == [0] * 4, said
    with database.connected(path) as shared:
        assert database.counts(shared) == {"measurements": count, "predictions": count}


def test_a_time_is_there_once(tmp_path: Path) -> None:
    with database.connected(tmp_path / "some.db") as shared:
        assert database.add_measurement(shared, "2024-01-01 00:10", [1.0] * len(VALUES))
        assert not database.add_measurement(shared, pd.Timestamp("2024-01-01 00:10"), [2.0] * len(VALUES))
        assert database.new_measurements(shared, 30, 10)[WIND].tolist() == [1.0]


def test_what_is_new_comes_with_its_history(tmp_path: Path) -> None:
    times = pd.date_range("2024-01-01", periods=60, freq="10min")
    with database.connected(tmp_path / "some.db") as shared:
        for moment in times:
            database.add_measurement(shared, moment, [None] * len(VALUES))
        done = pd.DataFrame({TIME: times[:40], "predicted": 1.0, "measured": None, "note": "stopped", "version": "1"})
        database.add_predictions(shared, done)
        assert database.waiting(shared) == 20
        found = database.new_measurements(shared, history=30, limit=5)
        assert found.loc[found["new"], TIME].tolist() == list(times[40:45])
        assert found.loc[~found["new"], TIME].tolist() == list(times[10:40])
        assert found[WIND].isna().all() and found[WIND].dtype == "float64"
        rows = database.predictions(shared, 3)
        assert rows[TIME].tolist() == list(times[37:40])
        assert rows["measured"].isna().all() and rows["note"].eq("stopped").all()


def test_the_model_in_use_is_the_one_noted_last(tmp_path: Path) -> None:
    model = {"run_id": "r", "trained": 1.0, "test_mae": 20.0, "mae_limit": 30.0, "mape_limit": None}
    with database.connected(tmp_path / "some.db") as shared:
        for version in ("1", "2", "1"):
            database.use_model(shared, {**model, "version": version})
        found = database.model_in_use(shared)
        assert found is not None and found["version"] == "1" and found["mape_limit"] is None


def test_a_failed_write_leaves_nothing(tmp_path: Path) -> None:
    with database.connected(tmp_path / "some.db") as shared:
        with pytest.raises(sqlite3.Error):
            database.add_measurement(shared, "2024-01-01", [1.0])
        assert database.add_measurement(shared, "2024-01-01", [1.0] * len(VALUES))


def test_the_stream_goes_on_where_it_stopped(tmp_path: Path) -> None:
    generate.main(["--rows", "1000", "--faults", "5", "--output", str(tmp_path)])
    taken = [point for point, _ in zip(points(tmp_path, None), range(1_500), strict=False)]
    times = [moment for moment, _ in taken]
    assert times == sorted(set(times)), "in order, none twice, beyond the data's end"
    assert times[0] >= pd.Timestamp("2024-01-06"), "from the part on that nothing was learnt from"
    assert (times[-1] - times[0]).total_seconds() / 600 < 1_600, "and without a hole at the data's end"
    for stop in (0, 99, 148, 149, 150, 1_200):
        on = points(tmp_path, times[stop])
        assert [next(on) for _ in range(3)] == taken[stop + 1 : stop + 4], "with the same values"


def test_real_data_is_over_at_its_end(tmp_path: Path) -> None:
    generate.main(["--rows", "1000", "--faults", "0", "--format", "csv", "--output", str(tmp_path)])
    (tmp_path / "_generated.json").unlink()
    assert len(list(points(tmp_path, None))) == 150
