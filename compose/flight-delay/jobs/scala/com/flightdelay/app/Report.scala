package com.flightdelay.app

import com.fasterxml.jackson.databind.JsonNode

/** The report for people, made from metrics.json's content; at most Width characters a line, as in Python. */
object Report {
  private val Width = 100
  private val Label = 13
  private val Measures = Seq("AUC" -> "auc", "PR AUC" -> "pr_auc", "precision" -> "precision", "recall" -> "recall",
    "F1" -> "f1", "accuracy" -> "accuracy")

  def apply(metrics: JsonNode): String = {
    val head = s"FLIGHT DELAYS  ${metrics.get("label").get("delayed_minutes").asInt} minutes late or more on arrival"
    val tail = f"${metrics.get("language").asText}, Spark ${metrics.get("spark").asText}, ${metrics.get("seconds").asDouble}%.0f s"
    val mlflow = metrics.get("mlflow")
    val logged =
      if (mlflow.get("logged").asBoolean)
        s"run ${mlflow.get("run_id").asText} of ${mlflow.get("experiment").asText} at ${mlflow.get("uri").asText}"
      else s"not logged (${mlflow.get("problem").asText})"
    val lines = Seq(head + (" " * (Width - head.length - tail.length)) + tail, "─" * Width) ++
      data(metrics.get("input"), metrics.get("label")) ++
      (if (metrics.get("features").isEmpty) Nil else features(metrics.get("features"), metrics.get("split"))) ++
      (if (metrics.get("models").isEmpty) Nil else "" +: models(metrics) :+ "") ++
      section("Output", Seq(s"${metrics.get("output").asText}: ${Json.strings(metrics.get("files")).mkString(", ")}")) ++
      section("MLflow", Seq(logged))
    lines.mkString("", "\n", "\n")
  }

  private def section(label: String, paragraphs: Seq[String]): Seq[String] =
    paragraphs.flatMap(wrap).zipWithIndex.map { case (line, i) => (if (i == 0) label else "").padTo(Label, ' ') + line }

  /** Break at spaces; words longer than a line are cut. */
  private def wrap(text: String): Seq[String] = {
    val room = Width - Label
    text.split(" ").flatMap(_.grouped(room)).foldLeft(List("")) {
      case ("" :: done, word) => word :: done
      case (line :: done, word) if line.length + 1 + word.length <= room => s"$line $word" :: done
      case (lines, word) => word :: lines
    }.reverse
  }

  private def data(data: JsonNode, label: JsonNode): Seq[String] = {
    def n(name: String): Long = data.get(name).asLong
    val files = data.get("files").size
    val bad = Json.fields(data.get("bad"))
    val skipped = Json.items(data.get("skipped"))
    val path = data.get("path").asText
    val text = Seq(
      f"$path, $files file${if (files == 1) "" else "s"}, ${n("rows")}%,d rows, ${data.get("first_date").asText} to ${data.get("last_date").asText}",
      f"${n("usable")}%,d usable, ${n("cancelled")}%,d cancelled, ${n("diverted")}%,d diverted, ${bad.map(_._2.asLong).sum}%,d bad"
    ) ++ bad.map { case (why, count) => f"bad: ${count.asLong}%,d x $why, first: ${data.get("bad_example").get(why).asText}" } ++
      skipped.take(3).map(skip => s"passed over: ${skip.get("file").asText.stripPrefix(path + "/")} (${skip.get("why").asText})") ++
      (if (skipped.size > 3) Seq(s"passed over: ${skipped.size - 3} more files") else Nil)
    val late = f"${label.get("delayed").asLong}%,d of ${label.get("rows").asLong}%,d late (${label.get("rate").asDouble * 100}%.1f%%)"
    section("Data", text) ++ section("Label", Seq(late))
  }

  private def features(features: JsonNode, split: JsonNode): Seq[String] = {
    val lacking = Json.fields(features.get("unavailable")).map { case (name, needs) => s"$name (needs ${Json.strings(needs).mkString(", ")})" }
    val text = Json.strings(features.get("used")).mkString(", ") +:
      ((if (lacking.isEmpty) Nil else Seq(s"not available: ${lacking.mkString(", ")}")) ++
        (if (features.get("pca").isNull) Nil else Seq(s"reduced to ${features.get("pca").asInt} principal components")))
    val parts = Features.Parts.map { name =>
      val part = split.get(name)
      val late = part.get("delayed").asDouble / part.get("rows").asDouble * 100
      f"$name%-11s${part.get("rows").asLong}%,10d flights, $late%5.1f%% late, ${part.get("from").asText} to ${part.get("to").asText}"
    }
    section("Features", text) ++ parts.zipWithIndex.map { case (part, i) => (if (i == 0) "Parts" else "").padTo(Label, ' ') + part }
  }

  private def models(metrics: JsonNode): Seq[String] = {
    val best = metrics.get("best").asText
    val titles = Options.Models.toMap
    val head = "Model".padTo(22, ' ') + Measures.map { case (title, _) => f"$title%11s" }.mkString + f"${"threshold"}%12s"
    val rows = Json.fields(metrics.get("models")).map { case (name, model) =>
      val title = titles(name) + (if (name == best) " *" else "")
      f"$title%-22s" + Measures.map { case (_, key) => f"${model.get("test").get(key).asDouble}%11.3f" }.mkString +
        f"${model.get("threshold").asDouble}%12.3f"
    }
    val base = metrics.get("baseline")
    val always = f"${"always on time"}%-22s${0.5}%11.3f${base.get("delayed").asDouble}%11.3f${"-"}%11s${0.0}%11.3f${"-"}%11s" +
      f"${base.get("accuracy").asDouble}%11.3f"
    val chosen = metrics.get("models").get(best)
    val why = f"* best by validation AUC (${chosen.get("validation").get("auc").asDouble}%.3f); all measured on the test part, the latest"
    val top = Json.items(chosen.get("top")).take(8).map(entry => f"${entry.get("feature").asText} ${entry.get("weight").asDouble}%.2f")
    (head +: rows) ++ Seq(always, why, "") ++ section("Weighs most", Seq(top.mkString(", ")))
  }
}
