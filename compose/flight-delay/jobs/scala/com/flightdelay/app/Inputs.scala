package com.flightdelay.app

import java.io.{BufferedReader, EOFException, IOException, InputStreamReader, RandomAccessFile}
import java.nio.charset.StandardCharsets.UTF_8
import java.nio.file.{Files, Path}
import java.util.zip.{GZIPInputStream, ZipException}

import scala.jdk.CollectionConverters._

import com.univocity.parsers.csv.{CsvParser, CsvParserSettings}

/** A file of flights: its header, how many columns its rows have, and which of them serve which role. */
final case class FlightFile(path: Path, header: Seq[String], width: Int) {
  val columns: Map[String, Map[Int, Int]] = Columns.matching(header)
  val parquet: Boolean = path.toString.toLowerCase.endsWith(".parquet")
}

/** The files to read, those passed over and why, and the source chosen for each role. */
final case class Inputs(path: Path, files: Seq[FlightFile], skipped: Seq[(Path, String)], chosen: Map[String, Int]) {

  /** Position and kind of a role's column in a file; None where the data set as a whole lacks it. */
  def column(file: FlightFile, role: Role): Option[(Int, String)] = {
    // Every source of the delay gives the same label, so each file may have its own.
    val number = if (role.name == "delay") Some(file.columns("delay").keys.min) else chosen.get(role.name)
    number.map(n => file.columns(role.name)(n) -> role.sources(n).kind)
  }
}

object Inputs {
  private val Sample = "sample"
  private val Suffixes = Seq(".csv", ".csv.gz", ".parquet")
  private val Known = Suffixes.mkString(", ")

  /** Find the flights under path; raises BadInput where there is nothing to read or a column is missing. */
  def find(path: Path, parquetColumns: Path => Seq[String]): Inputs = {
    if (!Files.exists(path)) throw new BadInput(s"$path: no such file or folder. --input must name flights ($Known).")
    if (!Files.isReadable(path)) throw new BadInput(s"$path: may not be read. Check its owner and mode.")
    val looked = walk(path).map { file =>
      val name = file.getFileName.toString.toLowerCase
      if (name.endsWith(".zip")) Left(file -> "zip archive: unzip it first")
      else if (!Suffixes.exists(name.endsWith)) Left(file -> s"not $Known")
      else if (Files.size(file) == 0) Left(file -> "empty file")
      else Right(open(file, parquetColumns))
    }
    val passed = looked.collect { case Left(skip) => skip }
    val (found, strangers) = looked.collect { case Right(file) => file }.partition(f => Columns.looksLikeFlights(f.columns))
    // Made-up flights must not dilute real ones: beside others, the generator's folder is passed over.
    val (sample, others) = found.partition(_.path.startsWith(path.resolve(Sample)))
    val mixed = sample.nonEmpty && others.nonEmpty
    val files = if (mixed) others else found
    val skipped = if (mixed) passed :+ (path.resolve(Sample) -> "generated flights, beside other ones") else passed
    if (files.isEmpty && strangers.isEmpty) {
      val where = if (Files.isDirectory(path)) "no flights in this folder" else "not a file of flights"
      val listing = skipped.take(5).map { case (file, why) => s"\n  $file: $why" }.mkString
      throw new BadInput(s"$path: $where. Expected $Known in the BTS On-Time schema.$listing")
    }
    val broken = if (files.isEmpty) strangers else files.filter(f => Columns.missing(f.columns).nonEmpty)
    if (broken.nonEmpty) throw new BadInput(broken.take(3).map(lacking).mkString("\n"))
    Inputs(path, files, skipped ++ strangers.map(_.path -> "other columns: not flights"), choose(files))
  }

  private def walk(path: Path): Seq[Path] =
    if (!Files.isDirectory(path)) Seq(path)
    else {
      val names = Files.list(path)
      val children = try names.iterator.asScala.toList finally names.close()
      val visible = children.filterNot(c => "._".contains(c.getFileName.toString.head)).sortBy(_.toString)
      val (folders, files) = visible.partition(Files.isDirectory(_))
      files.filterNot(_.toString.endsWith(".part")) ++ folders.flatMap(walk)
    }

  private def open(path: Path, parquetColumns: Path => Seq[String]): FlightFile =
    if (path.toString.toLowerCase.endsWith(".parquet")) {
      if (!wholeParquet(path))
        throw new BadInput(s"$path: not a whole Parquet file (no PAR1 mark at its start and end).")
      val header = parquetColumns(path)
      FlightFile(path, header, header.size)
    } else
      rows(path) { lines =>
        val header = (if (lines.hasNext) lines.next() else Nil).map(_.trim.stripPrefix("\uFEFF"))
        if (header.size == 1 && header.head.exists(";\t".contains(_)))
          throw new BadInput(s"$path: line 1: columns are separated by ; or tabs. Expected commas.")
        val first = if (lines.hasNext) lines.next() else header
        // Custom downloads end each line with a comma; the header need not.
        val named = header.count(_.nonEmpty)
        val trailing = named <= first.size && first.drop(named).forall(_.isEmpty)
        FlightFile(path, header, if (trailing) first.size else header.size)
      }

  private def wholeParquet(path: Path): Boolean = {
    val file = new RandomAccessFile(path.toFile, "r")
    try {
      def mark(at: Long) = { file.seek(at); val bytes = new Array[Byte](4); file.readFully(bytes); new String(bytes, UTF_8) }
      file.length >= 8 && mark(0) == "PAR1" && mark(file.length - 4) == "PAR1"
    } finally file.close()
  }

  /** Give the rows of a CSV file, header first, to use. Raises BadInput where the gzip is damaged. */
  def rows[T](path: Path)(use: Iterator[Seq[String]] => T): T =
    try {
      val raw = Files.newInputStream(path)
      try {
        val plain = if (path.toString.endsWith(".gz")) new GZIPInputStream(raw) else raw
        val settings = new CsvParserSettings
        settings.setMaxColumns(2000)
        settings.setMaxCharsPerColumn(-1)
        settings.setLineSeparatorDetectionEnabled(true)
        settings.setNullValue("")
        settings.setSkipEmptyLines(true)
        settings.setReadInputOnSeparateThread(false)
        val parser = new CsvParser(settings)
        parser.beginParsing(new BufferedReader(new InputStreamReader(plain, UTF_8)))
        use(Iterator.continually(parser.parseNext()).takeWhile(_ != null).map(_.toSeq))
      } finally raw.close()
    } catch {
      case problem: Exception if damage(path, problem).nonEmpty => throw new BadInput(damage(path, problem).get)
    }

  /** Read the gzip files through, as Spark does not say which one was damaged; None if all are sound. */
  def firstDamaged(files: Seq[FlightFile]): Option[String] =
    files.iterator.filter(_.path.toString.endsWith(".gz")).map { file =>
      val raw = Files.newInputStream(file.path)
      try {
        val plain = new GZIPInputStream(raw)
        val buffer = new Array[Byte](1 << 20)
        while (plain.read(buffer) >= 0) {}
        None
      } catch { case problem: IOException => damage(file.path, problem) } finally raw.close()
    }.collectFirst { case Some(message) => message }

  private def damage(path: Path, problem: Throwable): Option[String] =
    Iterator.iterate(problem)(_.getCause).takeWhile(_ != null).collectFirst {
      case _: EOFException => s"$path: truncated gzip file: it ends before its end mark. Copy or download it again."
      case e: ZipException => s"$path: not a sound gzip file (${e.getMessage}). Copy or download it again."
    }

  private def lacking(file: FlightFile): String = {
    val missing = Columns.missing(file.columns)
    val lines = missing.map { role =>
      val close = Columns.nearest(role, file.header)
      val hint = if (close.isEmpty) "" else s" (nearest here: ${close.mkString(", ")})"
      s"  ${role.expected}: ${role.what}$hint"
    }
    val found = file.header.take(8).filter(_.nonEmpty).mkString(", ") + (if (file.header.size > 8) ", ..." else "")
    (s"${file.path}: ${missing.size} of the columns that the job needs are missing:" +: lines :+ s"  Found: $found")
      .mkString("\n")
  }

  /** For each role the best source that all files share: airport codes and airport ids do not mix. */
  private def choose(files: Seq[FlightFile]): Map[String, Int] =
    Columns.Roles.filter(_.name != "delay").flatMap { role =>
      val shared = files.map(_.columns(role.name).keySet).reduce(_ intersect _)
      if (shared.nonEmpty) Some(role.name -> shared.min)
      else if (role.required) {
        val bySource = files.reverse.map(f => f.columns(role.name).keys.min -> f).toMap.toSeq.sortBy(_._1)
        val parts = bySource.map { case (n, f) => s"\n  ${f.path}: ${f.header(f.columns(role.name)(n))}" }.mkString
        throw new BadInput(s"The files do not agree on the ${role.what}: one column must be in all of them.$parts")
      } else None
    }.toMap
}
