package com.flightdelay.app

import java.nio.file.{Files, Path, Paths}
import java.time.LocalDate

import scala.util.Try

import com.fasterxml.jackson.databind.node.ObjectNode
import org.apache.logging.log4j.core.config.Configurator
import org.apache.logging.log4j.{Level, LogManager}
import org.apache.spark.sql.functions._
import org.apache.spark.sql.types.{StringType, StructType}
import org.apache.spark.sql.{Column, DataFrame, Row, SparkSession}

import Steps.{nameJobs, say, sparkPath}

/** Step 1: files in any BTS form to one Parquet folder, each row with a status, none dropped. */
object Load {
  val DelayedMinutes = 15
  private val Corrupt = "_corrupt"
  private val Iso = "^\\d{4}-\\d{1,2}-\\d{1,2}([ T].*)?$"
  private val Us = "^(\\d{1,2})/(\\d{1,2})/(\\d{4})( .*)?$"
  private val Bad = Seq(
    "columns" -> "wrong number of columns",
    "date" -> "unparsable date",
    "departure" -> "unparsable scheduled departure",
    "place" -> "no carrier, origin or destination",
    "delay" -> "no arrival delay, yet neither cancelled nor diverted"
  )

  def run(spark: SparkSession, source: Path, folder: Path): Unit = {
    nameJobs(spark, "load", "look at the files")
    val inputs = Inputs.find(source, path => spark.read.parquet(sparkPath(path)).columns.toSeq)
    val size = inputs.files.map(file => Files.size(file.path)).sum / 1e6
    val many = if (inputs.files.size == 1) "file" else "files"
    say(f"      ${inputs.files.size} $many, $size%,.1f MB under $source")
    nameJobs(spark, "load", "read flights, write Parquet")
    Steps.writtenWhole(folder) { part =>
      quietTasks {
        try classified(spark, inputs).write.parquet(s"file:$part")
        catch {
          case problem: Exception =>
            throw Inputs.firstDamaged(inputs.files).fold(problem)(damage => new BadInput(damage))
        }
        nameJobs(spark, "load", "count rows by status")
        val summary = summarise(spark.read.parquet(sparkPath(part)), inputs)
        judge(summary, inputs)
        Steps.writeSummary(part, summary)
      }
    }
  }

  /** Files of one header as text columns c0, c1, ...; CSV rows of another width have Corrupt set. */
  private def raw(spark: SparkSession, files: Seq[FlightFile]): DataFrame = {
    val paths = files.map(file => sparkPath(file.path))
    if (files.head.parquet) {
      val frame = spark.read.parquet(paths: _*)
      val columns = frame.columns.zipWithIndex.map { case (name, i) => col(s"`$name`").cast("string").as(s"c$i") }
      frame.select(columns.toSeq :+ lit(null).cast("string").as(Corrupt): _*)
    } else {
      val schema = (0 until files.head.width).foldLeft(new StructType)((s, i) => s.add(s"c$i", StringType))
      // Without column pruning, as pruned rows are not checked for their width.
      spark.read
        .schema(schema.add(Corrupt, StringType))
        .option("header", "true")
        .option("columnNameOfCorruptRecord", Corrupt)
        .option("columnPruning", "false")
        .csv(paths: _*)
    }
  }

  private def classified(spark: SparkSession, inputs: Inputs): DataFrame =
    inputs.files
      .groupBy(file => (file.parquet, file.width, file.header.map(Columns.normal)))
      .values
      .map { files =>
        roles(raw(spark, files), Columns.Roles.map(role => role.name -> inputs.column(files.head, role)).toMap)
      }
      .reduce(_ unionByName _)

  /** Text such as "12.00" as a double; null where it is none (also in ANSI mode). */
  private def number(value: Column): Column =
    when(value.rlike("^\\s*[-+]?(\\d+\\.?\\d*|\\.\\d+)\\s*$"), value).cast("double")

  private def flag(value: Column): Column =
    when(lower(trim(value)).isin("true", "false"), lower(trim(value)) === "true").otherwise(number(value) > 0.5)

  /** A time hhmm as minutes after midnight, 2400 as 1440; null where it is none. */
  private def minutes(value: Column): Column = {
    val hhmm = when(number(value).between(0, 2400), number(value)).cast("int")
    when(hhmm % 100 < 60, floor(hhmm / 100).cast("int") * 60 + hhmm % 100)
  }

  /** An ISO date or a US one, the time of day left off; null where it is none. */
  private def date(value: Column): Column = {
    val trimmed = trim(value)
    val iso = substring_index(substring_index(trimmed, " ", 1), "T", 1)
    val us = concat_ws("-", Seq(3, 1, 2).map(regexp_extract(trimmed, Us, _)): _*)
    val parts = split(when(trimmed.rlike(Iso), iso).when(trimmed.rlike(Us), us), "-")
    // A calendar check by hand: to_date raises on 2012-02-31 in ANSI mode.
    val Seq(year, month, day) = (0 to 2).map(parts.getItem(_).cast("int"))
    val first = make_date(year, when(month.between(1, 12), month), lit(1))
    when(day >= 1 && day <= dayofmonth(last_day(first)), date_add(first, day - 1))
  }

  private def roles(raw: DataFrame, columns: Map[String, Option[(Int, String)]]): DataFrame = {
    def text(role: String): Column = columns(role).fold(lit(null).cast("string")) { case (position, _) =>
      val trimmed = trim(col(s"c$position"))
      when(trimmed =!= "", trimmed)
    }
    val late = if (columns("delay").exists(_._2 == "flag")) flag(text("delay")) else number(text("delay")) >= DelayedMinutes
    val frame = raw.select(
      date(text("date")).as("date"),
      text("carrier").as("carrier"),
      text("origin").as("origin"),
      text("dest").as("dest"),
      minutes(text("departure")).as("departure"),
      minutes(text("arrival")).as("arrival"),
      number(text("elapsed")).as("elapsed"),
      number(text("distance")).as("distance"),
      text("number").as("number"),
      text("tail").as("tail"),
      late.cast("int").as("delayed"),
      coalesce(flag(text("cancelled")), lit(false)).as("cancelled"),
      coalesce(flag(text("diverted")), lit(false)).as("diverted"),
      col(Corrupt),
      text("date").as("raw_date"),
      input_file_name().as("file")
    )
    val status = when(col(Corrupt).isNotNull, "columns")
      .when(col("date").isNull, "date")
      .when(col("departure").isNull, "departure")
      .when(col("carrier").isNull || col("origin").isNull || col("dest").isNull, "place")
      .when(col("cancelled"), "cancelled")
      .when(col("diverted"), "diverted")
      .when(col("delayed").isNull, "delay")
      .otherwise("ok")
    val bad = col("status").isin(Bad.map(_._1): _*)
    frame
      .withColumn("status", status)
      .withColumn("file", when(bad, col("file")))
      .withColumn("raw_date", when(bad, col("raw_date")))
      .drop("cancelled", "diverted", Corrupt)
  }

  private def summarise(flights: DataFrame, inputs: Inputs): ObjectNode = {
    val by: Map[String, Row] = flights
      .groupBy("status")
      .agg(count("*").as("n"), sum("delayed").as("delayed"), min("date").as("first"), max("date").as("last"), min("file").as("file"))
      .collect()
      .map(row => row.getAs[String]("status") -> row)
      .toMap
    def n(status: String): Long = by.get(status).fold(0L)(_.getAs[Long]("n"))
    val bad = Bad.filter { case (status, _) => by.contains(status) }
    Json.obj(
      "path" -> inputs.path.toString,
      "files" -> inputs.files.map(_.path.toString),
      "skipped" -> inputs.skipped.map { case (path, why) => Json.obj("file" -> path.toString, "why" -> why) },
      "rows" -> by.keys.toSeq.map(n).sum,
      "usable" -> n("ok"),
      "delayed" -> by.get("ok").fold(0L)(_.getAs[Long]("delayed")),
      "cancelled" -> n("cancelled"),
      "diverted" -> n("diverted"),
      "bad" -> Json.obj(bad.map { case (status, why) => why -> n(status) }: _*),
      "bad_example" -> Json.obj(bad.map { case (status, why) => why -> example(status, by(status).getAs[String]("file"), inputs) }: _*),
      "first_date" -> by.get("ok").map(_.get(by("ok").fieldIndex("first")).toString),
      "last_date" -> by.get("ok").map(_.get(by("ok").fieldIndex("last")).toString),
      "roles" -> inputs.chosen.keys.toSeq.sorted,
      "unavailable" -> Columns.Roles.filter(r => !r.required && !inputs.chosen.contains(r.name)).map(_.what)
    )
  }

  /** Where a kind of bad row is first seen: file, line, value. Spark knows no lines, so the file is read. */
  private def example(status: String, uri: String, inputs: Inputs): String = {
    val path = Try(Paths.get(java.net.URI.create(uri))).getOrElse(Paths.get(uri.stripPrefix("file:")))
    def column(file: FlightFile, name: String) = inputs.column(file, Columns.Roles.find(_.name == name).get).get._1
    val found = inputs.files.find(file => file.path.toRealPath() == path && !file.parquet).flatMap { file =>
      val (dateAt, departureAt) = (column(file, "date"), column(file, "departure"))
      Inputs.rows(file.path) { lines =>
        lines.zipWithIndex.drop(1).map { case (row, i) =>
          val at = s"$path line ${i + 1}"
          if (row.size != file.width)
            if (status == "columns") Some(s"$at: ${row.size} columns, expected ${file.width}") else None
          else if (status == "date" && !isDate(row(dateAt))) Some(s"$at: '${row(dateAt).take(40)}'")
          else if (status == "departure" && !isHhmm(row(departureAt))) Some(s"$at: '${row(departureAt).take(40)}'")
          else None
        }.collectFirst { case Some(where) => where }
      }
    }
    found.getOrElse(path.toString)
  }

  private def isDate(value: String): Boolean = {
    val us = Us.r.pattern.matcher(value.trim)
    def valid(year: String, month: String, day: String) = Try(LocalDate.of(year.toInt, month.toInt, day.toInt)).isSuccess
    if (us.matches) valid(us.group(3), us.group(1), us.group(2))
    else value.trim.matches(Iso) && { val Array(y, m, d) = value.trim.split("[ T]")(0).split("-"); valid(y, m, d) }
  }

  private def isHhmm(value: String): Boolean =
    Try(value.trim.toDouble).toOption.exists(hhmm => hhmm >= 0 && hhmm <= 2400 && hhmm.toInt % 100 < 60)

  private def judge(summary: ObjectNode, inputs: Inputs): Unit = {
    def n(name: String): Long = summary.get(name).asLong
    val reasons = Json.fields(summary.get("bad")).map { case (why, count) => why -> count.asLong }
    val bad = reasons.map(_._2).sum
    if (n("rows") == 0)
      throw new BadInput(s"${inputs.files.take(3).map(_.path).mkString(", ")}: a header and no rows. Expected at least one flight.")
    if (bad == 0 && n("usable") == 0)
      throw new BadInput(f"All ${n("rows")}%,d flights under ${inputs.path} are cancelled or diverted.")
    if (bad * 2 > n("rows") || n("usable") == 0) {
      val lines = reasons.map { case (why, count) => f"  $count%,d x $why, first: ${summary.get("bad_example").get(why).asText}" }
      throw new BadInput(
        (f"$bad%,d of ${n("rows")}%,d rows under ${inputs.path} are bad; nothing was trained on." +: lines :+
          "  Expected FL_DATE as 2012-01-31 or 1/31/2012 12:00:00 AM, CRS_DEP_TIME as hhmm.").mkString("\n")
      )
    }
  }

  /** Keep Java's stack traces for unreadable files off the terminal: the error is told in one block. */
  private def quietTasks[T](work: => T): T = {
    val names = Seq("scheduler.DAGScheduler", "scheduler.TaskSetManager", "executor.Executor", "util.Utils",
      "sql.catalyst.csv.CSVHeaderChecker", "sql.execution.datasources.FileFormatWriter", "scheduler.TaskSchedulerImpl").map("org.apache.spark." + _)
    val before = names.map(name => LogManager.getLogger(name).getLevel)
    names.foreach(Configurator.setLevel(_, Level.OFF))
    // The last one's INFO lines hold traces, its warnings (no resources) must stay.
    Configurator.setLevel(names.last, Level.WARN)
    try work finally names.zip(before).foreach { case (name, level) => Configurator.setLevel(name, level) }
  }
}
