package com.flightdelay.app

import java.net.URI
import java.net.http.HttpRequest.BodyPublishers
import java.net.http.HttpResponse.BodyHandlers
import java.net.http.{HttpClient, HttpRequest}
import java.nio.file.{Files, Path}
import java.time.Duration

import scala.jdk.CollectionConverters._
import scala.util.control.NonFatal

import com.fasterxml.jackson.databind.node.ObjectNode

/** MLflow over REST: one run per submission. Trouble with it is told, never a reason for the job to fail. */
final class Tracking(experiment: String, params: Seq[(String, String)], tags: Seq[(String, String)]) {
  private val uri = sys.env.getOrElse("MLFLOW_TRACKING_URI", "").stripSuffix("/")
  private val http = HttpClient.newBuilder.connectTimeout(Duration.ofSeconds(5)).followRedirects(HttpClient.Redirect.NORMAL).build
  private var runId: Option[String] = None
  private var artifactUri = ""
  private var problem: Option[String] = None
  private var open = false

  if (uri.isEmpty) problem = Some("MLFLOW_TRACKING_URI is not set")
  else guarded {
    if (!uri.matches("https?://.*")) throw new IllegalStateException("the JAR logs to http:// and https:// servers only")
    start()
  }

  private def start(): Unit = {
    val created = post("runs/create", Json.obj("experiment_id" -> experimentId(), "start_time" -> System.currentTimeMillis,
      "run_name" -> "flight-delay (Scala)", "tags" -> pairs(tags)))
    val info = created.get("run").get("info")
    runId = Some(info.get("run_id").asText)
    artifactUri = info.get("artifact_uri").asText
    open = true
    post("runs/log-batch", Json.obj("run_id" -> runId, "params" -> pairs(params)))
  }

  private def experimentId(): String = {
    val quoted = java.net.URLEncoder.encode(experiment, "UTF-8")
    val (status, body) = send(request(s"experiments/get-by-name?experiment_name=$quoted").GET.build)
    if (status == 200) {
      val found = Json.read(body).get("experiment")
      if (found.get("lifecycle_stage").asText == "deleted")
        throw new IllegalStateException(s"experiment $experiment is deleted: restore it, or give another --experiment")
      found.get("experiment_id").asText
    } else if (status == 404) post("experiments/create", Json.obj("name" -> experiment)).get("experiment_id").asText
    else throw refused(status, body)
  }

  /** Log numbers; names may have a prefix, as in lr.auc. */
  def metrics(values: Seq[(String, Double)]): Unit = withRun { run =>
    val now = System.currentTimeMillis
    val items = values.map { case (key, value) => Json.obj("key" -> key, "value" -> value, "timestamp" -> now, "step" -> 0) }
    post("runs/log-batch", Json.obj("run_id" -> run, "metrics" -> items))
  }

  /** Upload files and folders under their own names, through the server's artifact proxy. */
  def artifacts(paths: Seq[Path]): Unit = withRun { _ =>
    if (!artifactUri.startsWith("mlflow-artifacts:"))
      throw new IllegalStateException(s"artifacts go to $artifactUri: the JAR needs a server with --artifacts-destination")
    val root = URI.create(artifactUri).getPath.stripPrefix("/")
    for (path <- paths; walked = Files.walk(path); file <- try walked.iterator.asScala.toList finally walked.close() if Files.isRegularFile(file)) {
      val name = path.getParent.relativize(file).iterator.asScala.map(part => java.net.URLEncoder.encode(part.toString, "UTF-8").replace("+", "%20"))
      val url = URI.create(s"$uri/api/2.0/mlflow-artifacts/artifacts/$root/${name.mkString("/")}")
      val (status, body) = send(HttpRequest.newBuilder(url).timeout(Duration.ofSeconds(60)).PUT(BodyPublishers.ofFile(file)).build)
      if (status / 100 != 2) throw refused(status, body)
    }
  }

  /** End the run as FINISHED, FAILED or KILLED; only the first call counts. */
  def end(status: String, error: String): Unit = synchronized {
    withRun { run =>
      if (error.nonEmpty) post("runs/set-tag", Json.obj("run_id" -> run, "key" -> "error", "value" -> error.take(4000)))
      post("runs/update", Json.obj("run_id" -> run, "status" -> status, "end_time" -> System.currentTimeMillis))
    }
    open = false
  }

  def logged: Boolean = problem.isEmpty

  def summary: ObjectNode = Json.obj(
    "logged" -> logged,
    "uri" -> Option(uri).filter(_.nonEmpty),
    "experiment" -> experiment,
    "run_id" -> runId,
    "problem" -> problem
  )

  private def pairs(items: Seq[(String, String)]): Seq[ObjectNode] =
    items.map { case (key, value) => Json.obj("key" -> key, "value" -> value) }

  private def request(path: String): HttpRequest.Builder =
    HttpRequest.newBuilder(URI.create(s"$uri/api/2.0/mlflow/$path")).timeout(Duration.ofSeconds(20))

  private def send(request: HttpRequest): (Int, String) = {
    val answer = http.send(request, BodyHandlers.ofString)
    (answer.statusCode, answer.body)
  }

  private def post(path: String, body: ObjectNode): ObjectNode = {
    val (status, answer) = send(request(path).header("Content-Type", "application/json").POST(BodyPublishers.ofString(Json.write(body))).build)
    if (status != 200) throw refused(status, answer)
    Json.read(if (answer.trim.isEmpty) "{}" else answer)
  }

  private def refused(status: Int, body: String): Exception =
    new IllegalStateException(s"answers $status (${body.take(100).trim})")

  private def withRun(work: String => Unit): Unit = if (open) runId.foreach(run => guarded(work(run)))

  private def guarded(work: => Unit): Unit =
    try work
    catch {
      case NonFatal(error) =>
        val what = error match {
          case _: java.net.ConnectException | _: java.net.http.HttpTimeoutException => "not reachable"
          case other => Option(other.getMessage).getOrElse(other.getClass.getSimpleName).linesIterator.take(1).mkString
        }
        problem = Some(s"$uri: ${what.take(200)}")
        open = false
        Steps.say(s"WARNING: MLflow: ${problem.get}; the job goes on without it")
    }
}
