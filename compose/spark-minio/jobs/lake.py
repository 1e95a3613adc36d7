"""Local files into the object store and back: what each worker wrote, read and counted.

    spark-submit /jobs/lake.py [--input FOLDER] [--data URL] [--results URL] [--output FOLDER] [--files N]

1. Reads the rides (rides/*.csv.gz) of the local input folder; rows that cannot be used are counted and left out.
2. Writes them to the object store as Parquet, partitioned by month.
3. Reads them back on every worker, and must find each ride and each cent again.
4. Sums them up by month and station, to the object store and to the local output folder.

What the run before wrote is replaced: it is gone as soon as step 2 begins, and the new appears as a whole when it ends.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

from lakereport import report
from pyspark.sql import DataFrame, Row, SparkSession
from pyspark.sql import functions as F
from where import Parts, by_executor, rows_by_executor

SCHEMA = "ride_id BIGINT, started_at TIMESTAMP, station STRING, bike STRING, minutes INT, km DOUBLE, cents BIGINT"

SUMS = ("month", "station", "rides", "km", "cents")


class LakeError(Exception):
    """The job cannot go on; the message says what is wrong and what to do."""


def read_rides(spark: SparkSession, folder: Path) -> DataFrame:
    """The rides as they stand in the files; what cannot be read is null. Raises LakeError without files."""
    files = folder / "rides"
    if not any(files.glob("*.csv*")):
        raise LakeError(f"{files}: no rides here. Make some: sparkdeck data; or put your own files there.")
    return spark.read.csv(files.as_uri(), schema=SCHEMA, header=True)


def usable() -> Any:
    """The condition that a row must meet: nothing missing, and a ride that took time and cost nothing or more."""
    present = [F.col(name).isNotNull() for name in ("ride_id", "started_at", "station", "minutes", "km", "cents")]
    condition = (F.col("minutes") > 0) & (F.col("cents") >= 0)
    for each in present:
        condition = condition & each
    return F.coalesce(condition, F.lit(False))


def cleaned(raw: DataFrame) -> DataFrame:
    """Each usable ride once, with its month, as yyyy-MM."""
    month = F.date_format("started_at", "yyyy-MM")
    return raw.where(usable()).dropDuplicates(["ride_id"]).withColumn("month", month)


def write_partitioned(rides: DataFrame, url: str, months: int, files: int) -> None:
    """Writes the rides by month, `files` files each; all of it appears at once, or none of it."""
    part = F.pmod(F.col("ride_id"), F.lit(files))
    rides.repartition(months * files, "month", part).write.partitionBy("month").parquet(url, mode="overwrite")


def totals(rides: DataFrame) -> dict[str, int]:
    """Rides, cents and months in all."""
    cents = F.coalesce(F.sum("cents"), F.lit(0)).alias("cents")
    row = rides.agg(F.count("*").alias("rides"), cents, F.countDistinct("month").alias("months")).first()
    assert row is not None
    return row.asDict()


def counts(raw: DataFrame) -> tuple[int, int]:
    """Rows in all, and those of them that cannot be used."""
    row = raw.agg(F.count("*").alias("rows"), F.count_if(~usable()).alias("bad")).first()
    assert row is not None
    return row["rows"], row["bad"]


def by_station(rides: DataFrame) -> DataFrame:
    """Rides, kilometres and cents of each month and station."""
    sums = (F.count("*").alias("rides"), F.round(F.sum("km"), 2).alias("km"), F.sum("cents").alias("cents"))
    return rides.groupBy("month", "station").agg(*sums).orderBy("month", "station")


def as_csv(table: list[Row]) -> str:
    """The sums with a head line."""
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow(SUMS)
    lines.writerows(table)
    return text.getvalue()


def write_file(file: Path, text: str) -> None:
    """Writes a file whole or not at all."""
    part = file.with_name(f".{file.name}.part")
    part.write_text(text)
    part.replace(file)


def run(spark: SparkSession, options: argparse.Namespace) -> dict[str, Any]:
    """The whole job; returns what metrics.json gets. Raises LakeError."""
    started = time.monotonic()
    context = spark.sparkContext
    context.setJobGroup("read", "read the local files")
    raw = read_rides(spark, options.input)
    rows, bad = counts(raw)
    rides = cleaned(raw)
    found = totals(rides)
    if not found["rides"]:
        raise LakeError(f"{options.input}/rides: none of {rows:,} rows can be used.")
    print(f"[1/3] {rows:,} rows of {options.input}/rides, {found['rides']:,} rides", flush=True)

    context.setJobGroup("write", "write to the object store")
    at = time.monotonic()
    write_partitioned(rides, options.data, found["months"], options.files)
    written = time.monotonic() - at
    print(f"[2/3] written to {options.data} in {written:.1f} s", flush=True)

    context.setJobGroup("aggregate", "read back and sum up")
    at = time.monotonic()
    # Parts small enough that no worker is left without one.
    spark.conf.set("spark.sql.files.minPartitionNum", 4 * context.defaultParallelism)
    stored = spark.read.parquet(options.data)
    executors: Parts = by_executor(rows_by_executor(stored.select("cents")))
    back = totals(stored)
    read = time.monotonic() - at
    if back != found or sum(executors.values()) != found["rides"]:
        raise LakeError(f"{options.data}: {back} came back of {found}. Does somebody else write there?")
    sums = by_station(stored)
    sums.coalesce(1).write.parquet(options.results, mode="overwrite")
    table = spark.read.parquet(options.results).select(*SUMS).orderBy("month", "station").collect()
    print(f"[3/3] {len(table)} sums in {options.results}", flush=True)

    stations: dict[str, list[int]] = {}
    for row in table:
        rides_and_cents = stations.setdefault(row["station"], [0, 0])
        rides_and_cents[0] += row["rides"]
        rides_and_cents[1] += row["cents"]
    folder = options.output / "lake"
    folder.mkdir(parents=True, exist_ok=True)
    write_file(folder / "by_station.csv", as_csv(table))
    return {
        "spark": spark.version,
        "seconds": round(time.monotonic() - started, 1),
        "input": {"path": str(options.input / "rides"), "rows": rows, "bad": bad, **found},
        "written": {"url": options.data, "seconds": round(written, 2)},
        "read": {"seconds": round(read, 2), "executors": executors},
        "sums": {"url": options.results, "rows": len(table), "rides": sum(row["rides"] for row in table)},
        "stations": stations,
        "output": str(folder),
    }


def main() -> int:
    """Runs the job; 0 when everything came back as it was written, else 1."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--input", type=Path, default=Path(os.environ.get("DATA_DIR", "/data")))
    parser.add_argument("--data", default="s3a://spark-data/rides", help="(default: %(default)s)")
    parser.add_argument("--results", default="s3a://spark-output/rides-by-station", help="(default: %(default)s)")
    parser.add_argument("--output", type=Path, default=Path(os.environ.get("OUTPUT_DIR", "/output")))
    parser.add_argument("--files", type=int, default=1, help="files for each month (default: %(default)s)")
    options = parser.parse_args()
    if options.files < 1:
        parser.error("--files: 1 or more")

    spark = SparkSession.builder.appName("lake").config("spark.sql.session.timeZone", "UTC").getOrCreate()
    try:
        metrics = run(spark, options)
    except LakeError as error:
        print(f"ERROR: {error}", file=sys.stderr)
        return 1
    finally:
        spark.stop()
    text = report(metrics)
    folder = Path(metrics["output"])
    write_file(folder / "metrics.json", json.dumps(metrics, indent=2) + "\n")
    write_file(folder / "report.txt", text)
    print(f"\n{text}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
