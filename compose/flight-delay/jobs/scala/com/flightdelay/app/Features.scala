package com.flightdelay.app

import java.nio.file.Path

import com.fasterxml.jackson.databind.node.ObjectNode
import org.apache.spark.sql.expressions.Window
import org.apache.spark.sql.functions._
import org.apache.spark.sql.{DataFrame, Row, SparkSession}

import Steps.{nameJobs, sparkPath}

/** Step 2: what is known before departure, split by time; see features.py, which does the same. */
object Features {
  private val Day = 1440
  private val All = -1
  private val Smoothing = 50
  private val Shares = Array(0.70, 0.85)
  private val Periods = 52
  private val WholeDays = 10
  private val MaxCarriers = 30
  private val LongestTurnaround = 720

  val Parts: Seq[String] = Seq("train", "validation", "test")
  private val Rates = Seq(
    "rate_carrier" -> Seq("carrier"),
    "rate_origin" -> Seq("origin"),
    "rate_dest" -> Seq("dest"),
    "rate_carrier_origin" -> Seq("carrier", "origin"),
    "rate_origin_hour" -> Seq("origin", "three_hours")
  )
  private val Always = Seq("month_sin", "month_cos", "hour", "hour_sin", "hour_cos")
  private val Optional = Seq(
    "distance" -> Seq("distance"),
    "elapsed" -> Seq("elapsed"),
    "leg" -> Seq("tail"),
    "turnaround" -> Seq("tail", "arrival")
  )
  private val Categories = Seq("carrier", "weekday")

  def run(spark: SparkSession, flights: Path, folder: Path): Unit = {
    val loaded = Steps.readSummary(flights, "load")
    val roles = Json.strings(loaded.get("roles")).toSet
    val optional = Optional.collect { case (name, needs) if needs.forall(roles) => name }
    val numeric = Always ++ optional
    val known = knownBefore(spark.read.parquet(sparkPath(flights)), optional)
    nameJobs(spark, "preprocess", "find where the parts end")
    val (first, second, days) = cuts(known)
    val dayNumber = datediff(col("date"), lit("1970-01-01"))
    val parted = known
      .withColumn("part", when(col("moment") < first, "train").when(col("moment") < second, "validation").otherwise("test"))
      .withColumn("period", floor(dayNumber / math.max(1L, days / Periods)).cast("int"))
    val train = parted.where("part = 'train'")
    nameJobs(spark, "preprocess", "base rate and carriers of the training part")
    val (base, carriers) = baseRate(train)
    val grouped = parted.withColumn("carrier_group", when(col("carrier").isin(carriers: _*), col("carrier")).otherwise("other"))
    val rates = pastRates(train, base).cache() // read once per feature
    val rated = Rates.foldLeft(grouped) { case (frame, (name, keys)) => withRate(frame, rates, name, keys, base) }
    val medians = medianOf(train, optional)
    val columns = Seq("part", "date", "moment").map(col) ++
      Seq(col("carrier_group").as("carrier"), col("origin"), col("dest"), col("weekday")) ++
      (numeric ++ Rates.map(_._1)).map(col) :+ col("delayed").cast("double").as("label")
    nameJobs(spark, "preprocess", "write the features")
    Steps.writtenWhole(folder) { part =>
      rated.na.fill(medians.toMap).select(columns: _*).write.partitionBy("part").parquet(s"file:$part")
      nameJobs(spark, "preprocess", "store the past delay rates")
      rates.where(col("period") === All).drop("period").coalesce(1).write.parquet(s"file:$part/_rates")
      nameJobs(spark, "preprocess", "count the parts")
      val split = sizes(spark.read.parquet(sparkPath(part)))
      judge(split)
      Steps.writeSummary(
        part,
        Json.obj(
          "from" -> loaded.get("id").asText,
          "split" -> split,
          "numeric" -> (numeric ++ Rates.map(_._1)),
          "categories" -> Categories,
          "filled" -> Json.obj(medians: _*),
          "unavailable" -> Json.obj(Optional.filterNot(o => optional.contains(o._1)).map { case (name, needs) =>
            name -> needs.filterNot(roles)
          }: _*)
        )
      )
    }
    rates.unpersist()
  }

  private def knownBefore(flights: DataFrame, optional: Seq[String]): DataFrame = {
    val aircraft = Window
      .partitionBy(col("date"), coalesce(col("tail"), concat_ws("?", Seq("carrier", "number", "origin", "departure").map(col): _*)))
      .orderBy("departure", "number", "dest")
    val legged =
      if (!optional.contains("leg")) flights
      else flights.where("status in ('ok', 'cancelled', 'diverted')").withColumn("leg", (row_number().over(aircraft) - 1).cast("double"))
    val ground = col("departure") - lag("arrival", 1).over(aircraft)
    val turned =
      if (!optional.contains("turnaround")) legged
      else legged.withColumn("turnaround", when(ground.between(0, LongestTurnaround), ground).otherwise(LongestTurnaround).cast("double"))
    val month = (org.apache.spark.sql.functions.month(col("date")) + dayofmonth(col("date")) / 31.0 - 1) * (2 * math.Pi / 12)
    val turn = col("departure") * (2 * math.Pi / Day)
    turned
      .where("status = 'ok'")
      .withColumn("moment", datediff(col("date"), lit("1970-01-01")).cast("long") * Day + col("departure"))
      .withColumn("month_sin", sin(month))
      .withColumn("month_cos", cos(month))
      .withColumn("hour", col("departure") / 60.0)
      .withColumn("hour_sin", sin(turn))
      .withColumn("hour_cos", cos(turn))
      .withColumn("weekday", date_format(col("date"), "E"))
      .withColumn("three_hours", floor(col("departure") / 180).cast("string"))
  }

  private def cuts(frame: DataFrame): (Long, Long, Long) = {
    val found = frame
      .agg(percentile_approx(col("moment"), lit(Shares), lit(10000)).as("cuts"), countDistinct("date").as("days"))
      .head()
    if (found.isNullAt(0)) throw new BadInput("No usable flights: nothing to split.")
    val days = found.getAs[Long]("days")
    val Seq(first, second) = found.getSeq[Long](0).toSeq.map(cut => if (days >= WholeDays) cut / Day * Day else cut)
    (first, second, days)
  }

  private def baseRate(train: DataFrame): (Double, Seq[String]) = {
    val found = train.groupBy("carrier").agg(count("*").as("n"), sum("delayed").as("late")).collect()
    val flights = found.map(_.getAs[Long]("n")).sum
    if (flights == 0) throw new BadInput("The training part is empty: all flights leave at the same time. Load more days.")
    val largest = found.sortBy(row => (-row.getAs[Long]("n"), row.getAs[String]("carrier"))).take(MaxCarriers)
    (found.map(_.getAs[Long]("late")).sum.toDouble / flights, largest.map(_.getAs[String]("carrier")).toSeq)
  }

  private def pastRates(train: DataFrame, base: Double): DataFrame = {
    val named = Rates.map { case (feature, keys) => struct(lit(feature).as("feature"), concat_ws("|", keys.map(col): _*).as("key")) }
    val each = train
      .select(col("period"), col("delayed"), explode(array(named: _*)).as("of"))
      .groupBy("of.feature", "of.key", "period")
      .agg(count("*").as("n"), sum("delayed").as("late"))
    val before = Window.partitionBy("feature", "key").orderBy("period").rowsBetween(Window.unboundedPreceding, -1)
    val past = each.select(
      col("feature"),
      col("key"),
      col("period"),
      coalesce(sum("n").over(before), lit(0L)).as("n"),
      coalesce(sum("late").over(before), lit(0L)).as("late")
    )
    val whole = each.groupBy("feature", "key").agg(lit(All).as("period"), sum("n").as("n"), sum("late").as("late"))
    val rate = (col("late") + Smoothing * base) / (col("n") + Smoothing)
    past.unionByName(whole).select(col("feature"), col("key"), col("period"), rate.as("rate"))
  }

  private def withRate(frame: DataFrame, rates: DataFrame, name: String, keys: Seq[String], base: Double): DataFrame = {
    val table = rates.where(col("feature") === name).select(col("key").as("_key"), col("period").as("_period"), col("rate").as(name))
    frame
      .withColumn("_key", concat_ws("|", keys.map(col): _*))
      .withColumn("_period", when(col("part") === "train", col("period")).otherwise(All))
      .join(broadcast(table), Seq("_key", "_period"), "left")
      .drop("_key", "_period")
      .na.fill(base, Seq(name))
  }

  private def medianOf(train: DataFrame, names: Seq[String]): Seq[(String, Double)] =
    if (names.isEmpty) Nil
    else {
      val columns = names.map(name => percentile_approx(col(name), lit(0.5), lit(10000)).as(name))
      val found = train.agg(columns.head, columns.tail: _*).head()
      names.zipWithIndex.map { case (name, i) => name -> (if (found.isNullAt(i)) 0.0 else found.getDouble(i)) }
    }

  private def sizes(frame: DataFrame): ObjectNode = {
    val by: Map[String, Row] = frame
      .groupBy("part")
      .agg(count("*").as("rows"), sum("label").as("delayed"), min("moment").as("first"), max("moment").as("last"))
      .collect()
      .map(row => row.getAs[String]("part") -> row)
      .toMap
    Json.obj(Parts.flatMap(part => by.get(part).map { row =>
      part -> Json.obj(
        "rows" -> row.getAs[Long]("rows"),
        "delayed" -> row.getAs[Double]("delayed").toLong,
        "from" -> moment(row.getAs[Long]("first")),
        "to" -> moment(row.getAs[Long]("last"))
      )
    }): _*)
  }

  private def moment(minutes: Long): String = {
    val midnight = java.time.LocalDate.ofEpochDay(Math.floorDiv(minutes, Day.toLong))
    val ofDay = Math.floorMod(minutes, Day.toLong)
    f"$midnight ${ofDay / 60}%02d:${ofDay % 60}%02d"
  }

  private def judge(split: ObjectNode): Unit = Parts.foreach { part =>
    val found = split.get(part)
    if (found == null) throw new BadInput(s"The $part part would be empty: too few flights or departures. Load more days.")
    val (rows, late) = (found.get("rows").asLong, found.get("delayed").asLong)
    if (late == 0 || late == rows) {
      val what = if (late == 0) "on time" else "late"
      throw new BadInput(
        f"All $rows%,d flights of the $part part (${found.get("from").asText} to ${found.get("to").asText}) " +
          s"are $what: nothing to tell apart. Load more flights."
      )
    }
  }
}
