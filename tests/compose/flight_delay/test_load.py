"""Step 1 on real Spark: every form of BTS file loads as it is, every bad one is named."""

import csv
import gzip
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

pytest.importorskip("pyspark", reason="pyspark is not installed: pip install -e .[dev]")

from flightdelay.errors import BadInput
from flightdelay.load import load

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

REAL = Path(__file__).parents[4] / "shared" / "data" / "flight-test"
HEADER = "FL_DATE,OP_UNIQUE_CARRIER,ORIGIN,DEST,CRS_DEP_TIME,ARR_DELAY,CANCELLED,DIVERTED,"
GOOD = "2023-05-01,AA,ATL,JFK,0830,20.00,0.00,0.00,"


def write(path: Path, *lines: str) -> Path:
    """A CSV file of these lines."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n")
    return path


def refused(spark: "SparkSession", source: Path, tmp_path: Path) -> str:
    """The message with which an input is refused; nothing may be left behind."""
    output = tmp_path / "out" / "flights"
    output.parent.mkdir(exist_ok=True)
    with pytest.raises(BadInput) as problem:
        load(spark, source, output)
    assert list(output.parent.iterdir()) == []
    return str(problem.value)


def loaded(spark: "SparkSession", source: Path, tmp_path: Path) -> tuple[dict[str, Any], list[Any]]:
    """The summary and the rows."""
    output = tmp_path / "flights"
    summary = load(spark, source, output)
    return summary, spark.read.parquet(str(output)).orderBy("date", "departure", "tail").collect()


@pytest.mark.skipif(not REAL.is_dir(), reason=f"real flights are not here: {REAL}")
def test_real_flights_with_their_neighbours(spark: "SparkSession", tmp_path: Path) -> None:
    with (REAL / "Flights_samples.csv").open(newline="") as file:
        truth = list(csv.DictReader(file))
    summary, _ = loaded(spark, REAL, tmp_path)
    assert summary["rows"] == len(truth) == 1352
    assert summary["cancelled"] == sum(row["CANCELLED"] == "1.00" for row in truth) == 14
    assert summary["diverted"] == sum(row["DIVERTED"] == "1.00" for row in truth) == 4
    assert summary["delayed"] == 220
    assert summary["bad"] == {}
    assert {Path(skip["file"]).name for skip in summary["skipped"]} >= {"Weather_samples.csv", "SOURCE.md"}
    assert summary["unavailable"] == ["tail number", "scheduled arrival (hhmm)", "distance"]


def test_names_dates_and_times_in_every_form(spark: "SparkSession", tmp_path: Path) -> None:
    folder = tmp_path / "in [1] {a}"
    write(folder / "upper.csv", HEADER, GOOD, "2023-05-01,AA,ATL,JFK,2400,14.00,0.00,0.00,")
    write(
        folder / "deeper" / "camel.csv",
        "FlightDate,Reporting_Airline,Origin,Dest,CRSDepTime,ArrDelayMinutes,Cancelled,Diverted,Tail_Number",
        "5/2/2023 12:00:00 AM,AA,ATL,JFK,5,15.00,0,0,N1",
        "2023-05-03 00:00:00,AA,ATL,JFK,1159.00,,1,0,N1",
    )
    with gzip.open(folder / "flag.csv.gz", "wt") as file:
        file.write(HEADER.replace("ARR_DELAY", "arr_del15") + "\n12/31/2023,AA,ATL,JFK,0000,1.00,0.00,0.00,\n")
    summary, rows = loaded(spark, folder, tmp_path)
    assert summary["bad"] == {}
    assert (summary["rows"], summary["usable"], summary["delayed"], summary["cancelled"]) == (5, 4, 3, 1)
    assert [(str(row["date"]), row["departure"], row["delayed"]) for row in rows] == [
        ("2023-05-01", 510, 1),
        ("2023-05-01", 1440, 0),
        ("2023-05-02", 5, 1),
        ("2023-05-03", 719, None),
        ("2023-12-31", 0, 1),
    ]
    assert "tail number" in summary["unavailable"]  # not in all files


def test_parquet_with_types(spark: "SparkSession", tmp_path: Path) -> None:
    frame = spark.sql(
        "select date'2023-05-01' FlightDate, 'AA' Reporting_Airline, 'ATL' Origin, 'JFK' Dest, 830 CRSDepTime, "
        "16.0D ArrDelay, false Cancelled, 0L Diverted, 760.0D Distance"
    )
    frame.coalesce(1).write.parquet(str(tmp_path / "in"))
    summary, rows = loaded(spark, tmp_path / "in", tmp_path)
    assert (summary["usable"], summary["delayed"]) == (1, 1)
    assert (rows[0]["departure"], rows[0]["distance"]) == (510, 760.0)


def test_bad_rows_are_counted_and_shown(spark: "SparkSession", tmp_path: Path) -> None:
    path = write(
        tmp_path / "in" / "a b.csv",
        HEADER,
        *[GOOD] * 9,
        GOOD.replace("2023-05-01", "2023-02-30"),
        GOOD.replace("2023-05-01", "yesterday"),
        GOOD.replace("0830", "1260"),
        GOOD.replace("0830", "99999999999"),
        GOOD.replace("JFK", ""),
        GOOD.replace("20.00", ""),
        GOOD.replace("ATL", "Atlanta, GA"),
        "2023-05-01,AA",
    )
    summary, rows = loaded(spark, path, tmp_path)
    assert summary["bad"] == {
        "wrong number of columns": 2,
        "unparsable date": 2,
        "unparsable scheduled departure": 2,
        "no carrier, origin or destination": 1,
        "no arrival delay, yet neither cancelled nor diverted": 1,
    }
    assert summary["rows"] == len(rows) == 17
    assert summary["usable"] == 9
    where = summary["bad_example"]
    assert where["unparsable date"] == f"{path} line 11: '2023-02-30'"
    assert where["unparsable scheduled departure"] == f"{path} line 13: '1260'"
    assert where["wrong number of columns"] == f"{path} line 17: 10 columns, expected 9"


def test_mostly_bad_rows_are_refused(spark: "SparkSession", tmp_path: Path) -> None:
    path = write(tmp_path / "in.csv", HEADER, GOOD, *[GOOD.replace("2023-05-01", "01.05.2023")] * 3)
    message = refused(spark, path, tmp_path)
    assert f"3 of 4 rows under {path} are bad" in message
    assert f"3 x unparsable date, first: {path} line 3: '01.05.2023'" in message
    assert "Expected FL_DATE as 2012-01-31" in message


def test_missing_columns_are_named_with_the_nearest(spark: "SparkSession", tmp_path: Path) -> None:
    path = write(tmp_path / "in" / "x.csv", HEADER.replace("CRS_DEP_TIME", "CRS_DEPT_TIME"), GOOD)
    message = refused(spark, path.parent, tmp_path)
    assert message.startswith(f"{path}: 1 of the columns that the job needs are missing:")
    assert "CRS_DEP_TIME: scheduled departure (hhmm) (nearest here: CRS_DEPT_TIME)" in message


def test_nothing_to_read(spark: "SparkSession", tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    assert refused(spark, empty, tmp_path).startswith(f"{empty}: no flights in this folder. Expected .csv, .csv.gz")
    assert "no such file or folder" in refused(spark, tmp_path / "none", tmp_path)
    (empty / "On_Time_2023_1.zip").write_bytes(b"PK")
    assert "On_Time_2023_1.zip: zip archive: unzip it first" in refused(spark, empty, tmp_path)
    only_header = write(tmp_path / "h.csv", HEADER)
    assert (
        refused(spark, only_header, tmp_path) == f"{only_header}: a header and no rows. Expected at least one flight."
    )
    other = write(tmp_path / "semicolons.csv", HEADER.replace(",", ";"))
    assert refused(spark, other, tmp_path) == f"{other}: line 1: columns are separated by ; or tabs. Expected commas."
    cancelled = write(tmp_path / "c.csv", HEADER, GOOD.replace("20.00,0.00", ",1.00"))
    assert "All 1 flights under" in refused(spark, cancelled, tmp_path)


def test_damaged_files_are_named(spark: "SparkSession", tmp_path: Path) -> None:
    folder = tmp_path / "in"
    write(folder / "good.csv", HEADER, GOOD)
    packed = gzip.compress("\n".join([HEADER, *(f"{GOOD[:16]}{i}{GOOD[16:]}" for i in range(20_000))]).encode())
    bad = folder / "bad.csv.gz"
    bad.write_bytes(packed[: len(packed) * 2 // 3])
    assert refused(spark, folder, tmp_path) == (
        f"{bad}: truncated gzip file: it ends before its end mark. Copy or download it again."
    )
    bad.write_bytes(b"this is no gzip at all")
    assert refused(spark, folder, tmp_path).startswith(f"{bad}: not a sound gzip file")
    bad.rename(folder / "bad.parquet")
    assert "not a whole Parquet file" in refused(spark, folder, tmp_path)


def test_generated_flights_do_not_dilute_others(spark: "SparkSession", tmp_path: Path) -> None:
    write(tmp_path / "in" / "sample" / "made.csv", HEADER, GOOD, GOOD, GOOD)
    alone, _ = loaded(spark, tmp_path / "in", tmp_path / "alone")
    assert alone["rows"] == 3
    write(tmp_path / "in" / "real.csv", HEADER, GOOD)
    beside, _ = loaded(spark, tmp_path / "in", tmp_path / "beside")
    assert beside["rows"] == 1
    assert "generated flights" in str(beside["skipped"])


def test_files_that_do_not_agree(spark: "SparkSession", tmp_path: Path) -> None:
    folder = tmp_path / "in"
    write(folder / "codes.csv", HEADER, GOOD)
    write(folder / "ids.csv", HEADER.replace("ORIGIN", "ORIGIN_AIRPORT_ID"), GOOD.replace("ATL", "10397"))
    message = refused(spark, folder, tmp_path)
    assert message.startswith("The files do not agree on the origin airport")
    assert f"{folder / 'codes.csv'}: ORIGIN" in message
    assert f"{folder / 'ids.csv'}: ORIGIN_AIRPORT_ID" in message
