"""Step 2, preprocess: what is known before departure, split by time into train, validation and test.

Past delay rates come from the training part only. Smoothed: (late + K * base) / (flights + K). Each training
flight sees only the periods (days, or weeks in a year's data) before its own; later flights see all of them.
"""

import math
from pathlib import Path
from typing import Any, Final

from pyspark.sql import Column, DataFrame, SparkSession, Window
from pyspark.sql import functions as F

from flightdelay.errors import BadInput
from flightdelay.steps import name_jobs, read_summary, spark_path, write_summary, written_whole

DAY: Final = 1440
ALL: Final = -1  # in the table of rates: the whole training part
SMOOTHING: Final = 50
SHARES: Final = (0.70, 0.85)  # the first 70 % of the time line trains, the next 15 % validates, the rest tests
PERIODS: Final = 52  # a training part of n days has periods of n // PERIODS days, at least one
WHOLE_DAYS: Final = 10  # from this many days on, a part ends at midnight
MAX_CARRIERS: Final = 30
LONGEST_TURNAROUND: Final = 720

PARTS: Final = ("train", "validation", "test")
RATES: Final = {
    "rate_carrier": ("carrier",),
    "rate_origin": ("origin",),
    "rate_dest": ("dest",),
    "rate_carrier_origin": ("carrier", "origin"),
    "rate_origin_hour": ("origin", "three_hours"),
}
ALWAYS: Final = ("month_sin", "month_cos", "hour", "hour_sin", "hour_cos")
OPTIONAL: Final = {  # feature: the roles that it needs
    "distance": ("distance",),
    "elapsed": ("elapsed",),
    "leg": ("tail",),
    "turnaround": ("tail", "arrival"),
}
CATEGORIES: Final = ("carrier", "weekday")


def preprocess(spark: SparkSession, flights: Path, folder: Path) -> dict[str, Any]:
    """Turn the flights of step 1 into features, write folder/part=train|validation|test, return the summary.

    Raises BadInput where step 1 has not been run or a part would be empty or of one class.
    """
    loaded = read_summary(flights, "load")
    numeric = [*ALWAYS, *(name for name, needs in OPTIONAL.items() if set(needs) <= set(loaded["roles"]))]
    frame = known_before(spark.read.parquet(spark_path(flights)), numeric)
    name_jobs(spark, "preprocess", "find where the parts end")
    first, second, days = _cuts(frame)
    period = F.floor(F.datediff("date", F.lit("1970-01-01")) / max(1, days // PERIODS)).cast("int")
    frame = frame.withColumn("part", _part(first, second)).withColumn("period", period)
    train = frame.where("part = 'train'")
    name_jobs(spark, "preprocess", "base rate and carriers of the training part")
    base, carriers = _base(train)
    frame = frame.withColumn(
        "carrier_group", F.when(F.col("carrier").isin(carriers), F.col("carrier")).otherwise("other")
    )
    rates = past_rates(train, base).cache()  # read once per feature
    for feature, keys in RATES.items():
        frame = _with_rate(frame, rates, feature, keys, base)
    medians = _medians(train, [name for name in numeric if name in OPTIONAL])
    frame = frame.fillna({**medians}).select(
        "part",
        "date",
        "moment",
        F.col("carrier_group").alias("carrier"),
        "origin",
        "dest",
        "weekday",
        *numeric,
        *RATES,
        F.col("delayed").cast("double").alias("label"),
    )
    name_jobs(spark, "preprocess", "write the features")
    with written_whole(folder) as part:
        frame.write.partitionBy("part").parquet(f"file:{part}")
        name_jobs(spark, "preprocess", "store the past delay rates")
        rates.where(F.col("period") == ALL).drop("period").coalesce(1).write.parquet(f"file:{part}/_rates")
        name_jobs(spark, "preprocess", "count the parts")
        summary = {
            "from": loaded["id"],
            "split": _sizes(spark.read.parquet(spark_path(part))),
            "numeric": [*numeric, *RATES],
            "categories": list(CATEGORIES),
            "filled": medians,
            "unavailable": {
                name: [role for role in needs if role not in loaded["roles"]]
                for name, needs in OPTIONAL.items()
                if name not in numeric
            },
        }
        _judge(summary["split"])
        write_summary(part, summary)
    rates.unpersist()
    return summary


def known_before(flights: DataFrame, numeric: list[str]) -> DataFrame:
    """The usable flights with the numeric features that the timetable gives.

    moment is the scheduled departure in minutes since 1970 (local time). leg counts the aircraft's
    scheduled flights of that day before this one; turnaround is its scheduled time on the ground, in minutes.
    Both also see flights that were cancelled later: the timetable did not know.
    """
    if "leg" in numeric:
        aircraft = Window.partitionBy(
            "date", F.coalesce("tail", F.concat_ws("?", "carrier", "number", "origin", "departure"))
        ).orderBy("departure", "number", "dest")
        flights = flights.where("status in ('ok', 'cancelled', 'diverted')")
        flights = flights.withColumn("leg", (F.row_number().over(aircraft) - 1).cast("double"))
        if "turnaround" in numeric:
            ground = F.col("departure") - F.lag("arrival").over(aircraft)
            fits = ground.between(0, LONGEST_TURNAROUND)
            flights = flights.withColumn(
                "turnaround", F.when(fits, ground).otherwise(LONGEST_TURNAROUND).cast("double")
            )
    month = (F.month("date") + F.dayofmonth("date") / 31.0 - 1) * (2 * math.pi / 12)
    turn = F.col("departure") * (2 * math.pi / DAY)
    return (
        flights.where("status = 'ok'")
        .withColumn("moment", F.datediff("date", F.lit("1970-01-01")).cast("long") * DAY + F.col("departure"))
        .withColumn("month_sin", F.sin(month))
        .withColumn("month_cos", F.cos(month))
        .withColumn("hour", F.col("departure") / 60.0)
        .withColumn("hour_sin", F.sin(turn))
        .withColumn("hour_cos", F.cos(turn))
        .withColumn("weekday", F.date_format("date", "E"))
        .withColumn("three_hours", F.floor(F.col("departure") / 180).cast("string"))
    )


def _cuts(frame: DataFrame) -> tuple[int, int, int]:
    """The moments at which validation and test begin, and the number of days in all."""
    found = frame.agg(
        F.percentile_approx("moment", list(SHARES), 10_000).alias("cuts"), F.countDistinct("date").alias("days")
    ).first()
    assert found is not None
    if found["cuts"] is None:
        raise BadInput("No usable flights: nothing to split.")
    first, second = found["cuts"]
    if found["days"] >= WHOLE_DAYS:
        first, second = first // DAY * DAY, second // DAY * DAY
    return first, second, found["days"]


def _part(first: int, second: int) -> Column:
    return F.when(F.col("moment") < first, "train").when(F.col("moment") < second, "validation").otherwise("test")


def _base(train: DataFrame) -> tuple[float, list[str]]:
    """The share of late flights in the training part, and its MAX_CARRIERS largest carriers."""
    found = train.groupBy("carrier").agg(F.count("*").alias("n"), F.sum("delayed").alias("late")).collect()
    flights = sum(row["n"] for row in found)
    if not flights:
        raise BadInput("The training part is empty: all flights leave at the same time. Load more days.")
    largest = sorted(found, key=lambda row: (-row["n"], row["carrier"]))[:MAX_CARRIERS]
    return sum(row["late"] for row in found) / flights, [row["carrier"] for row in largest]


def past_rates(train: DataFrame, base: float) -> DataFrame:
    """Smoothed delay rates as rows feature, key, period, rate.

    Of a period: from all periods before it. Period ALL: from the whole training part.
    """
    named = (
        F.struct(F.lit(feature).alias("feature"), F.concat_ws("|", *keys).alias("key"))
        for feature, keys in RATES.items()
    )
    each = (
        train.select("period", "delayed", F.explode(F.array(*named)).alias("of"))
        .groupBy("of.feature", "of.key", "period")
        .agg(F.count("*").alias("n"), F.sum("delayed").alias("late"))
    )
    before = Window.partitionBy("feature", "key").orderBy("period").rowsBetween(Window.unboundedPreceding, -1)
    past = each.select(
        "feature",
        "key",
        "period",
        F.coalesce(F.sum("n").over(before), F.lit(0)).alias("n"),
        F.coalesce(F.sum("late").over(before), F.lit(0)).alias("late"),
    )
    whole = each.groupBy("feature", "key").agg(
        F.lit(ALL).alias("period"), F.sum("n").alias("n"), F.sum("late").alias("late")
    )
    rate = (F.col("late") + SMOOTHING * base) / (F.col("n") + SMOOTHING)
    return past.unionByName(whole).select("feature", "key", "period", rate.alias("rate"))


def _with_rate(frame: DataFrame, rates: DataFrame, name: str, keys: tuple[str, ...], base: float) -> DataFrame:
    table = rates.where(F.col("feature") == name).select(
        F.col("key").alias("_key"), F.col("period").alias("_period"), F.col("rate").alias(name)
    )
    period = F.when(F.col("part") == "train", F.col("period")).otherwise(ALL)
    keyed = frame.withColumn("_key", F.concat_ws("|", *keys)).withColumn("_period", period)
    joined = keyed.join(F.broadcast(table), ["_key", "_period"], "left").drop("_key", "_period")
    return joined.fillna({name: base})


def _medians(train: DataFrame, names: list[str]) -> dict[str, float]:
    """What an empty optional feature is filled with: the training part's median."""
    if not names:
        return {}
    found = train.agg(*(F.percentile_approx(name, 0.5).alias(name) for name in names)).first()
    assert found is not None
    return {name: float(found[name] or 0.0) for name in names}


def _sizes(frame: DataFrame) -> dict[str, Any]:
    found = (
        frame.groupBy("part")
        .agg(
            F.count("*").alias("rows"),
            F.sum("label").alias("delayed"),
            F.min("moment").alias("first"),
            F.max("moment").alias("last"),
            F.min("date").alias("from"),
            F.max("date").alias("to"),
        )
        .collect()
    )
    by = {row["part"]: row for row in found}
    return {
        part: {
            "rows": by[part]["rows"],
            "delayed": int(by[part]["delayed"]),
            "from": _moment(by[part]["from"], by[part]["first"]),
            "to": _moment(by[part]["to"], by[part]["last"]),
        }
        for part in PARTS
        if part in by
    }


def _moment(date: Any, moment: int) -> str:
    return f"{date} {moment % DAY // 60:02d}:{moment % DAY % 60:02d}"


def _judge(split: dict[str, Any]) -> None:
    for part in PARTS:
        if part not in split:
            raise BadInput(f"The {part} part would be empty: too few flights or departures. Load more days.")
        rows, late = split[part]["rows"], split[part]["delayed"]
        if late in (0, rows):
            what = "late" if late else "on time"
            raise BadInput(
                f"All {rows:,} flights of the {part} part ({split[part]['from']} to {split[part]['to']}) "
                f"are {what}: nothing to tell apart. Load more flights."
            )
