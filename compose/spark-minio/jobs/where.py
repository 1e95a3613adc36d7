"""Which executor read how much of a table."""

from __future__ import annotations

import socket
from collections.abc import Iterable, Iterator
from pathlib import Path

import pyarrow as pa
from pyspark.sql import DataFrame

Parts = dict[str, int]


def rows_by_executor(table: DataFrame) -> list[tuple[str, int]]:
    """Executor and number of rows of each part of a table, each counted where it was read."""

    # Inside, so that it goes to the executors by value: they do not have this file.
    def counted(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        rows = sum(batch.num_rows for batch in batches)
        # The standalone worker starts each executor in a folder that is named after it: .../APP_ID/EXECUTOR_ID
        name = f"{Path.cwd().name} on {socket.gethostbyname(socket.gethostname())}"
        yield pa.RecordBatch.from_pydict({"executor": [name], "rows": [rows]})

    parts = table.mapInArrow(counted, "executor STRING, rows BIGINT").collect()
    return [(row["executor"], row["rows"]) for row in parts]


def by_executor(parts: Iterable[tuple[str, int]]) -> Parts:
    """The rows of each executor that read any."""
    found: Parts = {}
    for executor, rows in parts:
        if rows:
            found[executor] = found.get(executor, 0) + rows
    return dict(sorted(found.items()))
