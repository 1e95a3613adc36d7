"""Files of flights: CSV as BTS writes it, plain or gzipped, or Parquet; whole or not at all."""

import gzip
from pathlib import Path
from types import TracebackType
from typing import IO, Final, Self

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

FORMATS: Final = ("csv", "csv.gz", "parquet")
ROWS_A_FILE: Final = 2_000_000


class Writer:
    """Writes batches into files of at most ROWS_A_FILE rows (and one more block), a new one each month."""

    def __init__(self, folder: Path, form: str) -> None:
        self._folder, self._form = folder, form
        self._month = ""
        self._number = self._rows = 0
        self._done: list[str] = []
        self._parts: list[Path] = []
        self._sink: IO[bytes] | gzip.GzipFile | None = None
        self._out: pa_csv.CSVWriter | pq.ParquetWriter | None = None

    def write(self, batch: pa.RecordBatch, month: str) -> None:
        """Append a batch to the month's file."""
        if month != self._month:
            self._month, self._number = month, 0
            self._next(batch.schema)
        elif self._rows >= ROWS_A_FILE:
            self._number += 1
            self._next(batch.schema)
        assert self._out is not None
        self._rows += batch.num_rows
        if self._form == "parquet":
            self._out.write_batch(batch)
        else:
            self._out.write_batch(_as_text(batch))

    def close(self) -> list[str]:
        """Give all files their names and return these."""
        self._finish()
        for part in self._parts:
            part.replace(part.with_suffix(""))
        self._done, self._parts = [part.with_suffix("").name for part in self._parts], []
        return self._done

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Remove what was not closed."""
        self._finish()
        for part in self._parts:
            part.unlink(missing_ok=True)

    def _next(self, schema: pa.Schema) -> None:
        self._finish()
        number = f"_{self._number + 1}" if self._number else ""
        part = self._folder / f"flights_{self._month}{number}.{self._form}.part"
        self._parts.append(part)
        self._rows = 0
        if self._form == "parquet":
            self._out = pq.ParquetWriter(part, schema)
            return
        # Level 3: a tenth of the time of the highest, a quarter larger. No time stamp, so that the same seed gives the
        # same bytes.
        plain = self._form == "csv"
        self._sink = part.open("wb") if plain else gzip.GzipFile(part, "wb", compresslevel=3, mtime=0)
        header = ",".join(f'"{name}"' for name in schema.names) + ",\n"
        self._sink.write(header.encode())
        text = pa.schema([(field.name, _text_type(field.type)) for field in schema] + [("", pa.string())])
        options = pa_csv.WriteOptions(include_header=False, quoting_style="needed")
        self._out = pa_csv.CSVWriter(self._sink, text, write_options=options)

    def _finish(self) -> None:
        if self._out is not None:
            self._out.close()
            self._out = None
        if self._sink is not None:
            self._sink.close()
            self._sink = None


def _text_type(kind: pa.DataType) -> pa.DataType:
    return pa.decimal128(18, 2) if pa.types.is_floating(kind) else kind


def _as_text(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Numbers as "0.00" and an empty last column, so that lines end with a comma as BTS's do."""
    schema = pa.schema([(field.name, _text_type(field.type)) for field in batch.schema] + [("", pa.string())])
    arrays = [column.cast(field.type) for column, field in zip(batch.columns, schema, strict=False)]
    return pa.RecordBatch.from_arrays([*arrays, pa.nulls(batch.num_rows, pa.string())], schema=schema)
