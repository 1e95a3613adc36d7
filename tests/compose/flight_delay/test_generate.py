"""The generator: same seed, same flights; BTS's form; the effects it says it plants; memory bounded."""

import csv
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

np = pytest.importorskip("numpy")
pytest.importorskip("pyarrow")

from flightgen import world  # noqa: E402
from flightgen.flights import BLOCK, days_of, flights  # noqa: E402
from generate import generate, main  # noqa: E402


def made(folder: Path, rows: int = 3_000, seed: int = 1, form: str = "csv") -> list[list[str]]:
    """Generate and read back: header first, all files in order."""
    generate(rows, seed, 2023, folder, form, True)
    lines: list[list[str]] = []
    for path in sorted(folder.glob("*.csv")):
        with path.open(newline="") as file:
            content = list(csv.reader(file))
        lines += content if not lines else content[1:]
    return lines


def test_same_seed_same_flights(tmp_path: Path) -> None:
    first = made(tmp_path / "a")
    assert made(tmp_path / "b") == first
    assert made(tmp_path / "c", seed=2) != first


def test_form_is_that_of_bts(tmp_path: Path) -> None:
    header, *lines = made(tmp_path)
    assert len(lines) == 3_000
    assert header[-1] == ""  # lines end with a comma
    assert {len(line) for line in lines} == {len(header)}
    flights = [dict(zip(header, line, strict=True)) for line in lines]
    assert {f["Cancelled"] for f in flights} == {"0.00", "1.00"}
    assert all(len(f["CRSDepTime"]) == 4 and int(f["CRSDepTime"]) % 100 < 60 for f in flights)
    for flight in flights:
        landed = flight["Cancelled"] == flight["Diverted"] == "0.00"
        assert (flight["ArrDelay"] != "") == landed
        assert (flight["DepTime"] == "") == (flight["Cancelled"] == "1.00")
        assert (flight["NASDelay"] != "") == (landed and float(flight["ArrDelay"]) >= 15)
        if landed and float(flight["ArrDelay"]) >= 15:
            causes = ("CarrierDelay", "WeatherDelay", "NASDelay", "SecurityDelay", "LateAircraftDelay")
            assert sum(float(flight[cause]) for cause in causes) == float(flight["ArrDelay"])
            assert all(float(flight[cause]) >= 0 for cause in causes)
        assert flight["Origin"] != flight["Dest"]
    assert {f["FlightDate"] for f in flights} >= {"2023-01-01", "2023-12-31"}


@pytest.fixture(scope="module")
def year() -> dict[str, Any]:
    """100,000 flights as columns, without the cancelled and the diverted ones."""
    batches = [batch for day, count in days_of(2023, 100_000) for batch in flights(day, count, 3)]
    wanted = ("Reporting_Airline", "Origin", "CRSDepTime", "Month", "ArrDel15", "LateAircraftDelay", "WeatherDelay")
    columns = {n: np.concatenate([b.column(n).to_numpy(zero_copy_only=False) for b in batches]) for n in wanted}
    landed = ~np.isnan(columns["ArrDel15"].astype(float))
    return {"all": len(landed), **{name: values[landed] for name, values in columns.items()}}


def rate(year: dict[str, Any], which: Any) -> float:
    """The share of late flights among some."""
    return float(year["ArrDel15"][which].astype(float).mean())


def test_base_rate(year: dict[str, Any]) -> None:
    assert 0.16 <= rate(year, slice(None)) <= 0.20
    assert 0.01 < 1 - len(year["ArrDel15"]) / year["all"] < 0.03


def test_planted_carriers_and_airports_rank_as_planted(year: dict[str, Any]) -> None:
    for codes, effects, column in (
        (world.CARRIER_CODES, world.CARRIER_EFFECT, "Reporting_Airline"),
        (world.AIRPORT_CODES, world.AIRPORT_EFFECT, "Origin"),
    ):
        rates = [rate(year, year[column] == code) for code in codes]
        assert np.corrcoef(rates, effects)[0, 1] > 0.85, column
    assert rate(year, year["Reporting_Airline"] == "NK") > 1.8 * rate(year, year["Reporting_Airline"] == "DL")


def test_planted_hours_seasons_and_knock_on(year: dict[str, Any]) -> None:
    hour = year["CRSDepTime"].astype(int) // 100
    assert rate(year, hour == 19) > 3 * rate(year, hour == 6)
    assert rate(year, year["Month"] == 7) > 1.2 * rate(year, year["Month"] == 4)
    carried, weather = (np.nan_to_num(year[name].astype(float)) > 0 for name in ("LateAircraftDelay", "WeatherDelay"))
    late = year["ArrDel15"].astype(float) == 1
    assert 0.15 < carried[late].mean() < 0.5
    assert 0.15 < weather[late].mean() < 0.5


@pytest.mark.parametrize("rows", [1, 9, 364, 10_001, 100_000_000])
def test_days_share_out_all_rows(rows: int) -> None:
    assert sum(count for _, count in days_of(2024, rows)) == rows


def test_a_big_day_comes_in_bounded_blocks() -> None:
    day, _ = next(days_of(2023, 365))
    blocks = flights(day, 2 * BLOCK + 5, 1)
    assert [block.num_rows for block in blocks] == [BLOCK, BLOCK, 5]


def test_an_existing_data_set_is_kept_unless_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mine = tmp_path / "mine.csv"
    mine.write_text("keep me")
    assert main(["--rows", "500", "--output", str(tmp_path)]) == 0
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert main(["--rows", "400", "--output", str(tmp_path)]) == 2
    assert "500 generated flights already. Give --replace" in capsys.readouterr().err
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
    assert main(["--rows", "400", "--seed", "9", "--output", str(tmp_path), "--format", "parquet", "--replace"]) == 0
    manifest = json.loads((tmp_path / "_generated.json").read_text())
    assert manifest["rows"] == 400
    assert {path.name for path in tmp_path.iterdir()} == {"mine.csv", "_generated.json", *manifest["files"]}
    assert mine.read_text() == "keep me"


def test_a_stopped_run_leaves_no_half_files(tmp_path: Path) -> None:
    """A full disk, or ctrl+c: what was begun is removed."""
    from flightgen.files import Writer

    day, _ = next(days_of(2023, 365))
    with pytest.raises(KeyboardInterrupt), Writer(tmp_path, "csv") as writer:
        for batch in flights(day, 100, 1):
            writer.write(batch, "2023_01")
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


def test_memory_does_not_grow_with_rows(tmp_path: Path) -> None:
    """Ten times the rows, about the same peak."""
    script = (
        "import resource, sys; from pathlib import Path; from generate import generate; "
        "generate(int(sys.argv[1]), 1, 2023, Path(sys.argv[2]), 'parquet', True); "
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    )
    jobs = Path(sys.modules["generate"].__file__ or "").parent
    peaks = []
    for rows in (100_000, 1_000_000):
        command = [sys.executable, "-c", script, str(rows), str(tmp_path)]
        done = subprocess.run(command, cwd=jobs, capture_output=True, text=True, check=True)
        peaks.append(int(done.stdout))
    assert peaks[1] < peaks[0] * 1.6, peaks
