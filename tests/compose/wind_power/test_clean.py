"""What SCADA files get wrong: counted and handled, whatever their form."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from windpower import generate
from windpower.clean import UnusableData, clean
from windpower.columns import COLUMNS, LIMITS, POWER, TIME, VALUES, WIND
from windpower.files import manifest, read_scada

RATED = 2000.0


def _table(count: int = 6, /, **columns: Any) -> pd.DataFrame:
    """Rows without a fault, but for the given columns."""
    times = pd.date_range("2024-03-01", periods=count, freq="10min")
    sound = {name: np.linspace(5.0, 9.0, count) for name in VALUES}
    return pd.DataFrame({TIME: times, **sound, **columns})[list(COLUMNS)]


def test_sound_rows_stay_as_they_are() -> None:
    cleaned, report = clean(_table(), RATED)
    pd.testing.assert_frame_equal(cleaned[list(COLUMNS)], _table())
    assert (report.rows, report.kept, report.usable) == (6, 6, 6)
    assert report.lines() == ["6 rows, 2024-03-01 00:00:00 to 2024-03-01 00:50:00; 6 kept, 6 of use for training"], (
        "and nothing else is said of them"
    )


@pytest.mark.parametrize(
    ("column", "value"),
    [
        (WIND, -0.1),
        (WIND, 61.0),
        ("WindDirAbs", -1.0),
        ("WindDirAbs", 360.5),
        ("WindDirRel", -181.0),
        (POWER, -0.06 * RATED),
        (POWER, 1.2 * RATED),
        ("Pitch", 500.0),
        ("EnvirTemp", -273.0),
    ],
)
def test_an_impossible_value_is_missing_and_its_row_stays(column: str, value: float) -> None:
    values = [5.0, 6.0, value, 7.0, 8.0, 9.0]
    cleaned, report = clean(_table(**{column: values}), RATED)
    assert report.impossible == {column: 1}
    assert report.missing == {column: 1}
    assert cleaned[column].isna().tolist() == [False, False, True, False, False, False]
    assert report.kept == 6


@pytest.mark.parametrize("column", VALUES)
def test_what_is_just_possible_stays(column: str) -> None:
    scale = RATED if column == POWER else 1.0
    low, high = (limit * scale for limit in LIMITS[column])
    _, report = clean(_table(2, **{column: [low, high]}), RATED)
    assert report.impossible == {} and report.missing == {}


def test_times_doubled_unordered_unreadable_and_off_the_grid() -> None:
    times = ["2024-03-01 00:10:00", "2024-03-01 00:00:07", "2024-03-01 00:10:00", "nonsense", "2024-03-01T01:00:00"]
    winds = [5.0, 6.0, 7.0, 8.0, 9.0]
    cleaned, report = clean(_table(5, **{TIME: times, WIND: winds}), RATED)
    assert cleaned[TIME].astype(str).tolist() == ["2024-03-01 00:00:00", "2024-03-01 00:10:00", "2024-03-01 01:00:00"]
    assert cleaned[WIND].tolist() == [6.0, 5.0, 9.0], "the first of a doubled time is kept"
    assert (report.no_time, report.doubled, report.doubled_differing) == (1, 1, 1)
    assert (report.out_of_order, report.off_grid) == (1, 1)
    assert (report.gaps, report.gap_points) == (1, 4)
    assert report.longest_gap_hours == pytest.approx(4 / 6)
    assert report.rows == report.kept + report.no_time + report.doubled


def test_times_with_a_zone_are_utc() -> None:
    cleaned, _ = clean(_table(1, **{TIME: ["2024-03-01T02:00:00+02:00"]}), RATED)
    assert str(cleaned[TIME].iloc[0]) == "2024-03-01 00:00:00"


def test_text_among_numbers() -> None:
    cleaned, report = clean(_table(4, **{WIND: ["5.5", "Bad Data", "", None]}), RATED)
    assert report.unreadable == {WIND: 1}, "an empty cell is missing, not unreadable"
    assert report.missing == {WIND: 3}
    assert cleaned[WIND].iloc[0] == 5.5


def test_a_frozen_sensor_and_a_calm() -> None:
    cleaned, report = clean(_table(6, **{WIND: [7.0, 7.0, 7.0, 7.0, 7.0, 7.5]}), RATED)
    assert cleaned[WIND].isna().tolist() == [False, False, False, True, True, False]
    assert report.stuck == 2
    _, report = clean(_table(6, **{WIND: [0.0] * 6}), RATED)
    assert report.stuck == 0


def test_a_stopped_turbine_is_told_from_a_calm_and_from_a_storm() -> None:
    _, report = clean(_table(4, **{WIND: [2.0, 9.0, 10.0, 27.0], POWER: [-5.0, -5.0, 900.0, 0.0]}), RATED)
    assert (report.stopped, report.usable) == (1, 3)


def test_absent_columns_are_told_and_done_without() -> None:
    cleaned, report = clean(_table().drop(columns=["Pitch", "GenRPM"]), RATED)
    assert report.absent_columns == ["Pitch", "GenRPM"]
    assert cleaned["Pitch"].isna().all()
    with pytest.raises(UnusableData, match=r"no column Power.*It has: Timestamps"):
        clean(_table().drop(columns=[POWER]), RATED)


def test_nothing_usable_is_a_report_of_nothing() -> None:
    cleaned, report = clean(_table(3, **{TIME: ["x", "y", "z"]}), RATED)
    assert len(cleaned) == 0
    assert (report.rows, report.kept, report.usable, report.first) == (3, 0, 0, None)


@pytest.mark.parametrize("form", ["parquet", "csv"])
def test_a_file_of_30_000_rows_with_ten_times_the_faults(tmp_path: Path, form: str) -> None:
    code = generate.main(
        ["--rows", "30000", "--seed", "5", "--faults", "10", "--format", form, "--output", str(tmp_path)]
    )
    assert code == 0
    planted = (manifest(tmp_path) or {})["planted"]
    raw = read_scada(tmp_path)
    cleaned, report = clean(raw, RATED)
    assert report.rows == len(raw) == 30_000 - planted["gap"] + planted["doubled"]
    assert report.doubled == planted["doubled"] > 300
    assert report.gap_points == planted["gap"] > 500
    assert report.impossible == {
        WIND: planted["wind_below_0"],
        "WindDirAbs": planted["direction_above_360"],
        POWER: planted["power_impossible"],
    }
    assert report.stopped == planted["stopped"] > 0
    # Of the eight points of each those after the third repetition, and a few that repeat by chance after them.
    assert 0 <= report.stuck - planted["stuck"] * 5 // 8 < 10
    assert len(cleaned) == report.kept == cleaned[TIME].nunique()
    assert cleaned[TIME].is_monotonic_increasing
    assert cleaned[WIND].dropna().between(0, 60).all()


def test_the_same_rows_as_parquet_and_as_csv(tmp_path: Path) -> None:
    for form in ("parquet", "csv"):
        generate.main(["--rows", "1000", "--format", form, "--output", str(tmp_path / form)])
    parquet, csv = (clean(read_scada(tmp_path / form), RATED)[0] for form in ("parquet", "csv"))
    pd.testing.assert_frame_equal(parquet, csv)


def test_semicolons_with_decimal_commas(tmp_path: Path) -> None:
    _table().to_csv(tmp_path / "export.csv", sep=";", decimal=",", index=False, encoding="utf-8-sig")
    pd.testing.assert_frame_equal(clean(read_scada(tmp_path), RATED)[0][list(COLUMNS)], _table())


def test_a_folder_without_files_and_a_file_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(UnusableData, match=r"No Parquet or CSV file in .*sparkdeck --stack wind-power data"):
        read_scada(tmp_path)
    (tmp_path / "broken.parquet").write_bytes(b"no parquet")
    with pytest.raises(UnusableData, match=r"broken\.parquet cannot be read"):
        read_scada(tmp_path)
