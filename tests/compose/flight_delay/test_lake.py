"""The rides: same seed, same files. The lake job on local Spark: what is bad, and that what is written comes back."""

from __future__ import annotations

import argparse
import gzip
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytest.importorskip("pandas")
pytest.importorskip("pyspark")
sys.path.insert(0, str(Path(__file__).parents[3] / "compose" / "spark-minio" / "jobs"))

from generate_rides import generate, month_rows, rides
from lake import LakeError, cleaned, counts, read_rides, run, totals, write_partitioned
from lakereport import report
from where import by_executor

HEAD = "ride_id,started_at,station,bike,minutes,km,cents"


def options(data: Path, folder: Path) -> argparse.Namespace:
    urls = {"data": (folder / "rides").as_uri(), "results": (folder / "sums").as_uri()}
    return argparse.Namespace(input=data, output=folder, files=2, **urls)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """5,000 rides."""
    folder = tmp_path_factory.mktemp("rides")
    generate(5_000, 7, folder)
    return folder


def test_the_same_seed_gives_the_same_bytes(data: Path, tmp_path: Path) -> None:
    again, other = generate(5_000, 7, tmp_path / "same"), generate(5_000, 8, tmp_path / "other")
    assert len(again) == 12
    assert all(file.read_bytes() == (data / "rides" / file.name).read_bytes() for file in again)
    assert again[0].read_bytes() != other[0].read_bytes()


def test_every_ride_is_of_its_month_and_paid_for() -> None:
    assert sum(month_rows(12_345)) == 12_345
    february = rides(2, 3_000, 100, 7)
    assert list(february["ride_id"][:2]) == [100, 101] and february["ride_id"].is_unique
    assert set(february["started_at"].dt.strftime("%Y-%m")) == {"2024-02"}
    assert february["started_at"].dt.day.max() == 29
    classic = february[february["bike"] == "classic"]
    assert (classic["cents"] == 100 + 8 * classic["minutes"]).all()


def test_rows_that_cannot_be_used_are_counted(spark: SparkSession, tmp_path: Path) -> None:
    (tmp_path / "rides").mkdir()
    rows = [
        "1,2024-01-01 08:00:00,Docks,classic,10,2.5,180",
        "1,2024-01-01 08:00:00,Docks,classic,10,2.5,180",
        "2,2024-02-01 08:00:00,,classic,10,2.5,180",
        "3,2024-02-01 08:00:00,Docks,classic,0,2.5,180",
        "4,yesterday,Docks,classic,10,2.5,180",
        "x,2024-02-01 08:00:00,Docks,classic,10,2.5,180",
        "5,2024-02-01 08:00:00,Docks,classic,10,2.5,-1",
        "6,2024-02-29 23:59:59,Forum,cargo,7,1.0,340",
    ]
    with gzip.open(tmp_path / "rides" / "some.csv.gz", "wt") as file:
        file.write("\n".join([HEAD, *rows]) + "\n")
    raw = read_rides(spark, tmp_path)
    assert counts(raw) == (8, 5)
    assert totals(cleaned(raw)) == {"rides": 2, "cents": 520, "months": 2}


def test_what_is_written_comes_back_and_a_second_run_replaces_it(
    spark: SparkSession, data: Path, tmp_path: Path
) -> None:
    found = [run(spark, options(data, tmp_path)) for _ in range(2)]
    first = found[0]["input"]
    assert (first["rides"] + first["bad"], first["months"]) == (5_000, 12)
    assert found[1]["input"] == first and found[1]["stations"] == found[0]["stations"]
    assert sum(found[1]["read"]["executors"].values()) == found[1]["sums"]["rides"] == first["rides"]
    assert sum(cents for _, cents in found[1]["stations"].values()) == first["cents"]
    lines = (tmp_path / "lake" / "by_station.csv").read_text().splitlines()
    assert lines[0] == "month,station,rides,km,cents" and lines[1].startswith("2024-01,Abbey,")
    assert len(lines) == 1 + found[1]["sums"]["rows"]
    assert json.loads(json.dumps(found[1])) == found[1]
    text = report(found[1])
    assert f"{first['rides']:,} rides, {first['bad']:,} bad" in text
    assert max(map(len, text.splitlines())) <= 100 + len(str(tmp_path))


def test_each_month_gets_as_many_files_as_wanted_at_most(spark: SparkSession, data: Path, tmp_path: Path) -> None:
    write_partitioned(cleaned(read_rides(spark, data)), (tmp_path / "rides").as_uri(), 12, 2)
    months = list((tmp_path / "rides").glob("month=*"))
    assert len(months) == 12
    assert all(1 <= len(list(month.glob("*.parquet"))) <= 2 for month in months)


def test_without_rides_it_says_what_to_do(spark: SparkSession, tmp_path: Path) -> None:
    with pytest.raises(LakeError, match=r"no rides here\. Make some: sparkdeck data"):
        run(spark, options(tmp_path, tmp_path))


def test_executors_that_read_nothing_are_not_named() -> None:
    assert by_executor([("1 on b", 5), ("0 on a", 2), ("1 on b", 1), ("2 on c", 0)]) == {"0 on a": 2, "1 on b": 6}
