"""A first look at how Spark spreads work: a million records in 12 partitions, and who did which part.

    spark-submit /apps/example_job.py [--records N] [--partitions N]

Each task counts and sums its own partition and says on which executor it ran. The counts must add up to the
number of records and the sums to n(n-1)/2; otherwise the job fails.
"""

from __future__ import annotations

import argparse
import socket
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

from pyspark import TaskContext
from pyspark.sql import SparkSession

Part = tuple[int, int, int, str]


def measure(records: Iterable[int]) -> Iterator[Part]:
    """Number, count and sum of one partition, and the executor's host and id (from its own working folder)."""
    count = total = 0
    for record in records:
        count += 1
        total += record
    context = TaskContext.get()
    number = context.partitionId() if context else -1
    # The standalone worker starts each executor in a folder that is named after it: .../APP_ID/EXECUTOR_ID
    executor = f"executor {Path.cwd().name} on {socket.gethostbyname(socket.gethostname())}"
    yield number, count, total, executor


def main() -> int:
    """Runs the job; 0 if every record was counted once, 1 if not."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--partitions", type=int, default=12)
    options = parser.parse_args()

    spark = SparkSession.builder.appName("example-job").getOrCreate()
    context = spark.sparkContext
    context.setJobGroup("spread", f"count {options.records:,} records in {options.partitions} partitions")
    parts = sorted(context.range(options.records, numSlices=options.partitions).mapPartitions(measure).collect())
    spark.stop()

    tasks: Counter[str] = Counter()
    records: defaultdict[str, int] = defaultdict(int)
    print("partition    records  where")
    for number, count, _, where in parts:
        print(f"{number:9d}  {count:9,d}  {where}")
        tasks[where] += 1
        records[where] += count
    print("\nexecutor                            tasks    records")
    for where in sorted(tasks):
        print(f"{where:34s}  {tasks[where]:5d}  {records[where]:9,d}")

    counted = sum(records.values())
    total = sum(part[2] for part in parts)
    expected = options.records * (options.records - 1) // 2
    print(f"\n{counted:,} records in {len(parts)} partitions on {len(tasks)} executors, sum {total:,}")
    if (counted, total) != (options.records, expected):
        print(f"ERROR: expected {options.records:,} records and the sum {expected:,}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
