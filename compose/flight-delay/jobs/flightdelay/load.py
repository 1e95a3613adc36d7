"""Step 1, load: files in any BTS form to one Parquet folder, each row with a status, none dropped."""

import datetime
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import reduce
from itertools import groupby
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlparse

from py4j.protocol import Py4JJavaError  # type: ignore[import-untyped]
from pyspark.errors import PySparkException
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import StringType, StructField, StructType

from flightdelay.errors import BadInput
from flightdelay.inputs import File, Inputs, find, first_damaged, rows
from flightdelay.schema import ROLES, normal
from flightdelay.steps import name_jobs, say, spark_path, write_summary, written_whole

DELAYED_MINUTES: Final = 15
CORRUPT: Final = "_corrupt"
ISO: Final = r"^\d{4}-\d{1,2}-\d{1,2}([ T].*)?$"
US: Final = r"^(\d{1,2})/(\d{1,2})/(\d{4})( .*)?$"
# In the order in which they are looked for; the first that holds is the row's status.
BAD: Final = {
    "columns": "wrong number of columns",
    "date": "unparsable date",
    "departure": "unparsable scheduled departure",
    "place": "no carrier, origin or destination",
    "delay": "no arrival delay, yet neither cancelled nor diverted",
}


def load(spark: SparkSession, source: Path, folder: Path) -> dict[str, Any]:
    """Read the flights under source, write them to folder with a status per row, return the summary.

    Status is ok, cancelled, diverted or a key of BAD. Raises BadInput where there is nothing usable.
    """
    name_jobs(spark, "load", "look at the files")
    inputs = find(source, lambda path: spark.read.parquet(spark_path(path)).columns)
    say(f"      {_count(inputs)} under {source}")
    name_jobs(spark, "load", "read flights, write Parquet")
    with written_whole(folder) as part, _quiet_tasks(spark):
        try:
            _classified(spark, inputs).write.parquet(f"file:{part}")
        except (Py4JJavaError, PySparkException):
            damage = first_damaged(inputs.files)
            if damage:
                raise BadInput(damage) from None
            raise
        name_jobs(spark, "load", "count rows by status")
        summary = _summary(spark.read.parquet(spark_path(part)), inputs)
        _judge(summary, inputs)
        write_summary(part, summary)
    return summary


def _count(inputs: Inputs) -> str:
    size = sum(file.path.stat().st_size for file in inputs.files)
    return f"{len(inputs.files)} file{'s' * (len(inputs.files) != 1)}, {size / 1e6:,.1f} MB"


def _raw(spark: SparkSession, files: list[File]) -> DataFrame:
    """Files of one header as text columns c0, c1, ...; CSV rows of another width have CORRUPT set."""
    paths = [spark_path(file.path) for file in files]
    if files[0].parquet:
        frame = spark.read.parquet(*paths)
        columns = [F.col(f"`{name}`").cast("string").alias(f"c{i}") for i, name in enumerate(frame.columns)]
        return frame.select(*columns, F.lit(None).cast("string").alias(CORRUPT))
    width = files[0].width
    schema = StructType([StructField(f"c{i}", StringType()) for i in range(width)])
    schema.add(CORRUPT, StringType())
    # Without column pruning, as pruned rows are not checked for their width.
    options = {"header": True, "columnNameOfCorruptRecord": CORRUPT, "columnPruning": False}
    return spark.read.schema(schema).options(**options).csv(paths)  # type: ignore[arg-type]


def _classified(spark: SparkSession, inputs: Inputs) -> DataFrame:
    def form(file: File) -> tuple[Any, ...]:
        return (file.parquet, file.width, tuple(map(normal, file.header)))

    frames = []
    for _, group in groupby(sorted(inputs.files, key=form), form):
        files = list(group)
        raw = _raw(spark, files)
        frames.append(_roles(raw, {role.name: inputs.column(files[0], role.name) for role in ROLES}))
    return reduce(DataFrame.unionByName, frames)


def number(value: Column) -> Column:
    """Text such as "12.00" as a double; null where it is none (also in ANSI mode)."""
    return F.when(value.rlike(r"^\s*[-+]?(\d+\.?\d*|\.\d+)\s*$"), value).cast("double")


def flag(value: Column) -> Column:
    """0.00/1.00, 0/1 or false/true as a boolean; null where it is none."""
    return F.when(F.lower(F.trim(value)).isin("true", "false"), F.lower(F.trim(value)) == "true").otherwise(
        number(value) > 0.5
    )


def minutes(value: Column) -> Column:
    """A time hhmm as minutes after midnight, 2400 as 1440; null where it is none."""
    hhmm = F.when(number(value).between(0, 2400), number(value)).cast("int")
    return F.when(hhmm % 100 < 60, F.floor(hhmm / 100).cast("int") * 60 + hhmm % 100)


def date(value: Column) -> Column:
    """An ISO date or a US one (M/D/YYYY h:mm:ss AM), the time of day left off; null where it is none."""
    trimmed = F.trim(value)
    iso = F.substring_index(F.substring_index(trimmed, " ", 1), "T", 1)
    us = F.concat_ws(
        "-",
        F.regexp_extract(trimmed, US, 3),
        F.regexp_extract(trimmed, US, 1),
        F.regexp_extract(trimmed, US, 2),
    )
    text = F.when(trimmed.rlike(ISO), iso).when(trimmed.rlike(US), us)
    # A calendar check by hand: to_date raises on 2012-02-31 in ANSI mode.
    parts = F.split(text, "-")
    year, month, day = (parts.getItem(i).cast("int") for i in range(3))
    first = F.make_date(year, F.when((month >= 1) & (month <= 12), month), F.lit(1))
    return F.when((day >= 1) & (day <= F.dayofmonth(F.last_day(first))), F.date_add(first, day - 1))


def _roles(raw: DataFrame, columns: dict[str, tuple[int, str] | None]) -> DataFrame:
    def col(role: str) -> Column:
        found = columns[role]
        return F.lit(None).cast("string") if found is None else F.nullif(F.trim(f"c{found[0]}"), F.lit(""))

    delay = columns["delay"]
    assert delay is not None  # inputs.find has seen to it
    late = flag(col("delay")) if delay[1] == "flag" else number(col("delay")) >= DELAYED_MINUTES
    cancelled, diverted = (
        F.coalesce(flag(col("cancelled")), F.lit(False)),
        F.coalesce(flag(col("diverted")), F.lit(False)),
    )
    frame = raw.select(
        date(col("date")).alias("date"),
        col("carrier").alias("carrier"),
        col("origin").alias("origin"),
        col("dest").alias("dest"),
        minutes(col("departure")).alias("departure"),
        minutes(col("arrival")).alias("arrival"),
        number(col("elapsed")).alias("elapsed"),
        number(col("distance")).alias("distance"),
        col("number").alias("number"),
        col("tail").alias("tail"),
        late.cast("int").alias("delayed"),
        cancelled.alias("cancelled"),
        diverted.alias("diverted"),
        F.col(CORRUPT),
        col("date").alias("raw_date"),
        F.input_file_name().alias("file"),
    )
    status = (
        F.when(F.col(CORRUPT).isNotNull(), "columns")
        .when(F.col("date").isNull(), "date")
        .when(F.col("departure").isNull(), "departure")
        .when(F.col("carrier").isNull() | F.col("origin").isNull() | F.col("dest").isNull(), "place")
        .when(F.col("cancelled"), "cancelled")
        .when(F.col("diverted"), "diverted")
        .when(F.col("delayed").isNull(), "delay")
        .otherwise("ok")
    )
    bad = F.col("status").isin(*BAD)
    return (
        frame.withColumn("status", status)
        .withColumn("file", F.when(bad, F.col("file")))
        .withColumn("raw_date", F.when(bad, F.col("raw_date")))
        .drop("cancelled", "diverted", CORRUPT)
    )


def _summary(flights: DataFrame, inputs: Inputs) -> dict[str, Any]:
    counted = (
        flights.groupBy("status")
        .agg(
            F.count("*").alias("n"),
            F.sum("delayed").alias("delayed"),
            F.min("date").alias("first"),
            F.max("date").alias("last"),
            F.min("file").alias("file"),
        )
        .collect()
    )
    by = {row["status"]: row for row in counted}
    ok = by.get("ok")
    unavailable = [role.what for role in ROLES if not role.required and role.name not in inputs.chosen]
    return {
        "path": str(inputs.path),
        "files": [str(file.path) for file in inputs.files],
        "skipped": [{"file": str(path), "why": why} for path, why in inputs.skipped],
        "rows": sum(row["n"] for row in counted),
        "usable": ok["n"] if ok else 0,
        "delayed": int(ok["delayed"]) if ok else 0,
        "cancelled": by["cancelled"]["n"] if "cancelled" in by else 0,
        "diverted": by["diverted"]["n"] if "diverted" in by else 0,
        "bad": {BAD[key]: by[key]["n"] for key in BAD if key in by},
        "bad_example": {BAD[key]: _example(key, by[key]["file"], inputs) for key in BAD if key in by},
        "first_date": str(ok["first"]) if ok else None,
        "last_date": str(ok["last"]) if ok else None,
        "roles": sorted(inputs.chosen),
        "unavailable": unavailable,
    }


def _example(status: str, uri: str, inputs: Inputs) -> str:
    """Where a kind of bad row is first seen: file, line, value. Spark knows no lines, so the file is read."""
    path = Path(unquote(urlparse(uri).path))
    file = next((file for file in inputs.files if file.path.resolve() == path), None)
    if file is None or file.parquet:
        return str(path)
    lines = rows(file.path)
    next(lines)
    date_column, departure_column = (inputs.column(file, role) for role in ("date", "departure"))
    assert date_column is not None and departure_column is not None
    for number, row in enumerate(lines, 2):
        if not row:
            continue
        if status == "columns" and len(row) != file.width:
            return f"{path} line {number}: {len(row)} columns, expected {file.width}"
        if len(row) != file.width:
            continue
        if status == "date" and not _is_date(row[date_column[0]]):
            return f"{path} line {number}: {row[date_column[0]][:40]!r}"
        if status == "departure" and not _is_hhmm(row[departure_column[0]]):
            return f"{path} line {number}: {row[departure_column[0]][:40]!r}"
    return str(path)


def _is_date(value: str) -> bool:
    """The same rule as date(), for one value."""
    value = value.strip()
    us = re.match(US, value)
    try:
        if us:
            datetime.date(int(us[3]), int(us[1]), int(us[2]))
            return True
        if not re.match(ISO, value):
            return False
        year, month, day = (int(part) for part in re.split("[ T]", value)[0].split("-"))
        datetime.date(year, month, day)
    except ValueError:
        return False
    return True


def _is_hhmm(value: str) -> bool:
    """The same rule as minutes(), for one value."""
    try:
        hhmm = int(float(value))
    except ValueError:
        return False
    return 0 <= hhmm <= 2400 and hhmm % 100 < 60


def _judge(summary: dict[str, Any], inputs: Inputs) -> None:
    bad = sum(summary["bad"].values())
    if not summary["rows"]:
        names = ", ".join(str(file.path) for file in inputs.files[:3])
        raise BadInput(f"{names}: a header and no rows. Expected at least one flight.")
    if bad * 2 > summary["rows"] or not summary["usable"]:
        lines = [f"{bad:,} of {summary['rows']:,} rows under {summary['path']} are bad; nothing was trained on."]
        lines += [f"  {n:,} x {why}, first: {summary['bad_example'][why]}" for why, n in summary["bad"].items()]
        lines.append("  Expected FL_DATE as 2012-01-31 or 1/31/2012 12:00:00 AM, CRS_DEP_TIME as hhmm.")
        if not bad:
            lines[0] = f"All {summary['rows']:,} flights under {summary['path']} are cancelled or diverted."
            del lines[1:]
        raise BadInput("\n".join(lines))


@contextmanager
def _quiet_tasks(spark: SparkSession) -> Iterator[None]:
    """Keep Java's stack traces for unreadable files off the terminal: the error is told in one block."""
    jvm = spark.sparkContext._jvm
    assert jvm is not None
    configurator = jvm.org.apache.logging.log4j.core.config.Configurator
    level = jvm.org.apache.logging.log4j.Level
    # TaskSchedulerImpl comes last: its INFO lines hold traces, its warnings (no resources) must stay.
    names = (
        "org.apache.spark.scheduler.DAGScheduler",
        "org.apache.spark.scheduler.TaskSetManager",
        "org.apache.spark.executor.Executor",
        "org.apache.spark.util.Utils",
        "org.apache.spark.sql.catalyst.csv.CSVHeaderChecker",
        "org.apache.spark.sql.execution.datasources.FileFormatWriter",
        "org.apache.spark.scheduler.TaskSchedulerImpl",
    )
    before = [jvm.org.apache.logging.log4j.LogManager.getLogger(name).getLevel() for name in names]
    for name in names:
        configurator.setLevel(name, level.OFF)
    configurator.setLevel(names[-1], level.WARN)
    try:
        yield
    finally:
        for name, old in zip(names, before, strict=True):
            configurator.setLevel(name, old)
