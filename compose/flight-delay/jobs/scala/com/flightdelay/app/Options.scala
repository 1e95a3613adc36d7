package com.flightdelay.app

import java.nio.file.{Path, Paths}

import scala.util.Try

/** The user's to mend: the text says what, where and what to do; exit code 2. */
final class BadInput(message: String) extends Exception(message)

/** What to do; the same arguments as flight_delay.py. */
final case class Options(
    input: Path,
    output: Path,
    tasks: Seq[String],
    models: Seq[String] = Options.Models.map(_._1),
    pca: Option[Int] = None,
    threshold: Option[Double] = None,
    experiment: String = "flight-delay",
    seed: Int = 42
) {

  def params: Seq[(String, String)] = Seq(
    "input" -> input.toString,
    "output" -> output.toString,
    "tasks" -> tasks.mkString(","),
    "models" -> models.mkString(","),
    "pca" -> pca.fold("none")(_.toString),
    "threshold" -> threshold.fold("auto")(_.toString),
    "seed" -> seed.toString
  )
}

object Options {
  val Tasks: Seq[String] = Seq("load", "preprocess", "train")
  val Models: Seq[(String, String)] =
    Seq("lr" -> "logistic regression", "rf" -> "random forest", "gbt" -> "boosted trees")
  val Usage: String =
    """usage: FlightDelayPredictionApp [--input PATH] [--output PATH] [--tasks load,preprocess,train]
      |                       [--models lr,rf,gbt] [--pca K] [--threshold auto|NUMBER]
      |                       [--experiment NAME] [--seed N]""".stripMargin

  /** Raises BadInput with the usage where an argument is wrong. */
  def parse(args: List[String], environment: Map[String, String]): Options = {
    val tasks = environment.get("TASKS").filter(_.nonEmpty).fold(Tasks)(someOf(Tasks, "--tasks", _))
    // Folders of the services; without containers these are elsewhere.
    def folder(name: String, usual: String) = environment.get(name).filter(_.nonEmpty).getOrElse(usual)
    val input = Paths.get(folder("DATA_DIR", "/data"))
    val output = Paths.get(folder("OUTPUT_DIR", "/output"), "flight-delay-jar")
    read(args.flatMap(split), Options(input, output, tasks))
  }

  private def split(arg: String): List[String] =
    if (arg.startsWith("--") && arg.contains("=")) arg.split("=", 2).toList else List(arg)

  @scala.annotation.tailrec
  private def read(args: List[String], known: Options): Options = args match {
    case Nil => known
    case "--input" :: value :: rest => read(rest, known.copy(input = path("--input", value)))
    case "--output" :: value :: rest => read(rest, known.copy(output = path("--output", value)))
    case "--tasks" :: value :: rest => read(rest, known.copy(tasks = someOf(Tasks, "--tasks", value)))
    case "--models" :: value :: rest =>
      read(rest, known.copy(models = someOf(Models.map(_._1), "--models", value)))
    case "--pca" :: value :: rest => read(rest, known.copy(pca = Some(count("--pca", value))))
    case "--threshold" :: "auto" :: rest => read(rest, known.copy(threshold = None))
    case "--threshold" :: value :: rest =>
      val number = Try(value.toDouble).toOption.filter(n => n > 0 && n < 1)
      if (number.isEmpty) wrong("--threshold", s"$value: expected auto or a number between 0 and 1")
      read(rest, known.copy(threshold = number))
    case "--experiment" :: value :: rest => read(rest, known.copy(experiment = value))
    case "--seed" :: value :: rest => read(rest, known.copy(seed = count("--seed", value)))
    case other :: _ => throw new BadInput(s"unrecognized arguments: $other\n$Usage")
  }

  private def wrong(name: String, what: String): Nothing =
    throw new BadInput(s"argument $name: $what\n$Usage")

  private def someOf(allowed: Seq[String], name: String, text: String): Seq[String] = {
    val wanted = text.split(",").map(_.trim.toLowerCase).filter(_.nonEmpty).toSeq
    val unknown = wanted.filterNot(allowed.contains)
    if (unknown.nonEmpty || wanted.isEmpty) {
      val what = if (unknown.isEmpty) "nothing" else unknown.mkString(", ")
      wrong(name, s"$what: expected some of ${allowed.mkString(",")}")
    }
    allowed.filter(wanted.contains)
  }

  private def count(name: String, text: String): Int =
    Try(text.toInt).toOption.filter(_ >= 1).getOrElse(wrong(name, s"$text: expected a whole number, 1 or more"))

  private def path(name: String, text: String): Path =
    if (text.startsWith("file:")) Paths.get(java.net.URI.create(text.replaceFirst("^file:/*", "file:///")))
    else if (text.contains("://"))
      wrong(name, s"$text: expected a folder that driver and workers mount, such as /data")
    else Paths.get(text).toAbsolutePath.normalize
}
