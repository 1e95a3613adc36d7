"""The same records as Parquet, Avro and ORC: what each takes to write, to keep and to read.

    spark-submit /apps/compare_formats.py [--records N] [--repeat N] [--to URL]

Every format gets the same records, partitioned by day. Measured are the size, the write, a read of every column, of one
column, and of the records of a few days whose `sensor` lies in a narrow range. What that filter spared is Spark's
own count for the scan: partitions that it did not open, and records of the others that it did not hand on. All must
give the same answers, or the job fails. Times are the best of --repeat.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from pyspark.errors import AnalysisException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

FORMATS = ("parquet", "avro", "orc")
DAYS = 16
SENSORS = 1000
READ_DAYS = 4
READ_SENSORS = 20
STATES = ("ok", "ok", "ok", "late", "repaired")

Result = TypeVar("Result")


def records(spark: SparkSession, count: int) -> DataFrame:
    """`count` measurements over DAYS days, the same in every run, in order of their sensor within a day."""
    number = F.col("id")
    # The 64 random bits of a record; each column takes some of them.
    bits = F.xxhash64(number)
    table = spark.range(count).select(
        number.alias("record"),
        F.pmod(number, F.lit(DAYS)).cast("int").alias("day"),
        F.pmod(F.shiftright(bits, 3), F.lit(SENSORS)).cast("int").alias("sensor"),
        F.round(20 + 15 * F.sin(number / 5000) + F.pmod(bits, F.lit(1000)) / 500, 2).alias("temperature"),
        F.pmod(F.shiftright(bits, 13), F.lit(100_000)).cast("int").alias("pressure"),
        F.element_at(F.array(*map(F.lit, STATES)), F.pmod(bits, F.lit(len(STATES))).cast("int") + 1).alias("state"),
        F.concat(F.lit("batch-"), F.shiftright(number, 12).cast("string")).alias("batch"),
        F.hex(bits).alias("checksum"),
    )
    return table.repartition(DAYS, "day").sortWithinPartitions("day", "sensor")


def timed(repeat: int, work: Callable[[], Result]) -> tuple[float, Result]:
    """The shortest time of `repeat` tries in seconds, and what the last one gave."""
    times, result = [], None
    for _ in range(repeat):
        started = time.monotonic()
        result = work()
        times.append(time.monotonic() - started)
    return min(times), result  # type: ignore[return-value]


def size(spark: SparkSession, url: str) -> int:
    """Bytes of all files below an address."""
    jvm: Any = spark._jvm
    path = jvm.org.apache.hadoop.fs.Path(url)
    files = path.getFileSystem(spark._jsc.hadoopConfiguration()).listFiles(path, True)
    total = 0
    while files.hasNext():
        total += files.next().getLen()
    return total


def scanned(table: DataFrame) -> dict[str, int]:
    """Spark's own counts for the one scan of a table that was collected: numPartitions, numFiles, numOutputRows."""
    leaves = table._jdf.queryExecution().executedPlan().collectLeaves()
    metrics = leaves.head().metrics()
    names = ("numPartitions", "numFiles", "numOutputRows")
    return {name: metrics.apply(name).value() for name in names}


def answer(table: DataFrame) -> tuple[list[Any], dict[str, int]]:
    """Count, sum of the pressures and of the record numbers, with what the scan did for it."""
    sums = table.agg(F.count("*"), F.sum("pressure"), F.sum("record"))
    (row,) = sums.collect()
    return list(row), scanned(sums)


def measure(spark: SparkSession, name: str, table: DataFrame, base: str, repeat: int) -> dict[str, Any]:
    """One format's row of the table."""
    url = f"{base}/{name}"
    spark.sparkContext.setJobGroup(name, f"{name}: write and read")

    def write_it(these: DataFrame) -> None:
        these.write.partitionBy("day").mode("overwrite").format(name).save(url)

    # The first write in a JVM loads classes for seconds: a few records go before.
    write_it(records(spark, DAYS))
    write, _ = timed(1, lambda: write_it(table))
    stored = spark.read.format(name).schema(table.schema).load(url)
    days = F.col("day") < READ_DAYS
    sensors = F.col("sensor").between(SENSORS // 2, SENSORS // 2 + READ_SENSORS - 1)
    full, _ = timed(repeat, lambda: stored.write.format("noop").mode("overwrite").save())
    one, _ = timed(repeat, lambda: stored.agg(F.sum("pressure")).collect())
    few, (found, scan) = timed(repeat, lambda: answer(stored.where(days & sensors)))
    _, everything = answer(stored)
    whole, within = answer(stored.where(days))
    return {
        "format": name,
        "bytes": size(spark, url),
        "write": write,
        "full_read": full,
        "one_column": one,
        "filtered": few,
        "partitions": everything["numPartitions"],
        "partitions_read": scan["numPartitions"],
        "rows": everything["numOutputRows"],
        "rows_in_partitions": within["numOutputRows"],
        "rows_skipped": within["numOutputRows"] - scan["numOutputRows"],
        "answers": [found, whole],
    }


def table_of(rows: list[dict[str, Any]]) -> str:
    """The table for people."""
    lines = [
        f"{'':8} {'size':>9} {'write':>8} {'full read':>10} {'1 column':>9} {'filtered':>9} "
        f"{'partitions pruned':>18} {'rows skipped':>20}"
    ]
    for row in rows:
        pruned = f"{row['partitions'] - row['partitions_read']} of {row['partitions']}"
        skipped = f"{row['rows_skipped']:,} of {row['rows_in_partitions']:,}"
        lines.append(
            f"{row['format']:8} {row['bytes'] / 1e6:6.1f} MB {row['write']:6.2f} s {row['full_read']:8.2f} s "
            f"{row['one_column']:7.2f} s {row['filtered']:7.2f} s {pruned:>18} {skipped:>20}"
        )
    return "\n".join(lines)


def main() -> int:
    """Runs the job; 0 if every format gave the same answers, 1 if not."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=1_000_000, help="(default: %(default)s)")
    parser.add_argument("--repeat", type=int, default=3, help="tries of each read (default: %(default)s)")
    output = Path(os.environ.get("OUTPUT_DIR", "/output"))
    parser.add_argument("--to", default=(output / "formats").as_uri(), help="where to write (default: %(default)s)")
    options = parser.parse_args()
    if options.records < 1 or options.repeat < 1:
        parser.error("--records and --repeat: 1 or more")

    builder = SparkSession.builder.appName("compare-formats")
    # The plan that was made is then the one that ran, and its counts can be read.
    builder = builder.config("spark.sql.adaptive.enabled", "false")
    # Avro would decode each record and then drop it. Skipped shall mean: not read.
    builder = builder.config("spark.sql.avro.filterPushdown.enabled", "false")
    spark = builder.getOrCreate()
    table = records(spark, options.records).cache()
    spark.sparkContext.setJobGroup("records", f"make {options.records:,} records")
    table.count()
    rows: list[dict[str, Any]] = []
    for name in FORMATS:
        try:
            rows.append(measure(spark, name, table, options.to, options.repeat))
            print(f"{name} done", flush=True)
        except AnalysisException as error:
            if name != "avro" or "avro" not in str(error).lower():
                raise
            print("avro: this Spark has no Avro format: there is no spark-avro for its release", file=sys.stderr)
    spark.stop()

    head = f"{options.records:,} records in {DAYS} partitions at {options.to}; the filter wants {READ_DAYS} days, "
    print(f"\n{head}{READ_SENSORS} of {SENSORS:,} sensors\n{table_of(rows)}")
    folder = output / "compare-formats"
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / ".metrics.json.part"
    part.write_text(json.dumps({"records": options.records, "url": options.to, "formats": rows}, indent=2) + "\n")
    part.replace(folder / "metrics.json")
    if any(row["answers"] != rows[0]["answers"] or row["rows"] != options.records for row in rows):
        print(f"ERROR: the formats do not give the same answers: {[row['answers'] for row in rows]}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
