package com.flightdelay.app

import java.util.Locale

import com.fasterxml.jackson.databind.node.ObjectNode
import org.apache.spark.sql.SparkSession

/** Predict which flights arrive 15 minutes late or more; the same work as flight_delay.py.
  *
  * Exit codes: 0 done, 2 bad input or usage, 1 the work itself failed. The report goes to stdout.
  */
object FlightDelayPredictionApp {

  def main(args: Array[String]): Unit = {
    Locale.setDefault(Locale.ROOT)
    val code = try start(Options.parse(args.toList, sys.env)) catch { case problem: BadInput => complain(problem.getMessage); 2 }
    if (code != 0) System.exit(code)
  }

  private def complain(error: String): Unit = { Console.err.println(s"ERROR: $error"); Console.err.flush() }

  private def start(options: Options): Int = {
    var spark: Option[SparkSession] = None
    var tracking: Option[Tracking] = None
    // Also reached on SIGTERM: then the run is still open.
    val hook = new Thread(() => tracking.foreach(_.end("KILLED", "stopped before it was done; finished steps are kept")))
    Runtime.getRuntime.addShutdownHook(hook)
    def finish(status: String, code: Int, error: String = ""): Int = {
      tracking.foreach(_.end(status, error))
      spark.foreach(_.stop())
      if (error.nonEmpty) complain(error)
      code
    }
    try {
      Steps.onlyWriter(options.output) {
        val session = SparkSession.builder.appName("flight-delay").getOrCreate()
        spark = Some(session)
        val tags = Seq("mlflow.runName" -> "flight-delay (Scala)", "mlflow.source.name" -> getClass.getName.stripSuffix("$"),
          "spark.app.id" -> session.sparkContext.applicationId) ++
          sys.env.get("SPARKDECK_RUN").filter(_.nonEmpty).map("sparkdeck.run" -> _)
        tracking = Some(new Tracking(options.experiment, options.params, tags))
        run(session, options, tracking.get)
      }
      finish("FINISHED", 0)
    } catch {
      case problem: BadInput => finish("FAILED", 2, problem.getMessage)
      case problem: Exception =>
        problem.printStackTrace()
        val root = Iterator.iterate[Throwable](problem)(_.getCause).takeWhile(_ != null).toSeq.last
        finish("FAILED", 1, root.toString.linesIterator.take(1).mkString)
    }
  }

  private def run(spark: SparkSession, options: Options, tracking: Tracking): Unit = {
    val started = System.nanoTime
    val Seq(flights, prepared, model) = Seq("flights", "prepared", "model").map(options.output.resolve(_))
    var trained: Option[ObjectNode] = None
    options.tasks.zipWithIndex.foreach { case (task, i) =>
      Steps.say(s"[${i + 1}/${options.tasks.size}] $task")
      val began = System.nanoTime
      task match {
        case "load" => Load.run(spark, options.input, flights)
        case "preprocess" => Features.run(spark, flights, prepared)
        case _ =>
          trained = Some(Training.run(spark, flights, prepared, model, options) { (name, result) =>
            tracking.metrics(
              numbers(result.get("test")).map { case (key, value) => s"$name.$key" -> value } ++
                Seq(s"$name.validation_auc" -> result.get("validation").get("auc").asDouble, s"$name.seconds" -> result.get("seconds").asDouble)
            )
          })
      }
      Steps.say(f"      done in ${(System.nanoTime - began) / 1e9}%.1f s")
    }
    val metrics = describe(spark, options, trained, (System.nanoTime - started) / 1e9)
    trained.foreach { result =>
      val best = result.get("models").get(result.get("best").asText)
      tracking.metrics(
        numbers(best.get("test")) ++ Seq(
          "threshold" -> best.get("threshold").asDouble,
          "validation_auc" -> best.get("validation").get("auc").asDouble,
          "baseline_accuracy" -> result.get("baseline").get("accuracy").asDouble
        )
      )
    }
    val (input, label) = (metrics.get("input"), metrics.get("label"))
    tracking.metrics(Seq("rows" -> input.get("rows").asDouble, "bad_rows" -> numbers(input.get("bad")).map(_._2).sum, "delayed_rate" -> label.get("rate").asDouble))
    store(options, metrics, tracking)
    tracking.artifacts(Json.strings(metrics.get("files")).map(options.output.resolve(_)))
    if (!tracking.logged) store(options, metrics, tracking) // it may have failed only now
    Steps.say("\n" + Report(metrics))
  }

  private def numbers(node: com.fasterxml.jackson.databind.JsonNode): Seq[(String, Double)] =
    Json.fields(node).map { case (key, value) => key -> value.asDouble }

  private def store(options: Options, metrics: ObjectNode, tracking: Tracking): Unit = {
    metrics.set[ObjectNode]("mlflow", tracking.summary)
    Steps.writeText(options.output.resolve("metrics.json"), Json.write(metrics))
    Steps.writeText(options.output.resolve("report.txt"), Report(metrics))
  }

  /** What METRICS.md describes; steps that have not been run leave their part empty. */
  private def describe(spark: SparkSession, options: Options, trained: Option[ObjectNode], seconds: Double): ObjectNode = {
    val data = Steps.readSummary(options.output.resolve("flights"), "load")
    val prepared = Steps.stored(options.output.resolve("prepared")).filter(_.get("from") == data.get("id"))
    val input = data.deepCopy()
    input.remove(java.util.Arrays.asList("id", "roles", "unavailable"))
    val (usable, delayed) = (data.get("usable").asLong, data.get("delayed").asLong)
    val features = prepared.fold(Json.obj()) { step =>
      Json.obj(
        "used" -> (Json.strings(step.get("numeric")) ++ Json.strings(step.get("categories"))),
        "unavailable" -> step.get("unavailable"),
        "vector" -> trained.fold(Seq.empty[String])(t => Json.strings(t.get("vector"))),
        "pca" -> trained.flatMap(_ => options.pca)
      )
    }
    Json.obj(
      "schema" -> 1,
      "job" -> "flight-delay",
      "language" -> "Scala",
      "spark" -> spark.version,
      "sparkdeck_run" -> sys.env.get("SPARKDECK_RUN").filter(_.nonEmpty),
      "seconds" -> math.round(seconds * 10) / 10.0,
      "arguments" -> Json.obj(options.params: _*),
      "input" -> input,
      "label" -> Json.obj("delayed_minutes" -> Load.DelayedMinutes, "rows" -> usable, "delayed" -> delayed, "rate" -> delayed.toDouble / usable),
      "split" -> prepared.fold(Json.obj())(_.get("split").asInstanceOf[ObjectNode]),
      "features" -> features,
      "models" -> trained.fold(Json.obj())(_.get("models").asInstanceOf[ObjectNode]),
      "best" -> trained.map(_.get("best")),
      "baseline" -> trained.map(_.get("baseline")),
      "output" -> options.output.toString,
      "files" -> (Seq("metrics.json", "report.txt") ++ trained.map(_ => "model"))
    )
  }
}
