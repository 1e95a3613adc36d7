"""Predict which flights arrive 15 minutes late or more: spark-submit flight_delay.py --help.

Exit codes: 0 done, 2 bad input or usage, 1 the work itself failed. The report goes to stdout.
"""

import json
import os
import signal
import sys
import time
import traceback
from types import FrameType
from typing import Any, NoReturn

from flightdelay.errors import BadInput
from flightdelay.features import preprocess
from flightdelay.load import DELAYED_MINUTES, load
from flightdelay.options import Options, parse
from flightdelay.report import report
from flightdelay.steps import SUMMARY, only_writer, say, write_text
from flightdelay.tracking import Tracking
from flightdelay.train import train
from py4j.protocol import Py4JJavaError  # type: ignore[import-untyped]
from pyspark.sql import SparkSession


def run(spark: SparkSession, options: Options, tracking: Tracking) -> None:
    """Run the asked steps, write metrics.json and report.txt, print the report."""
    started = time.monotonic()
    output = options.output
    flights, prepared, model = output / "flights", output / "prepared", output / "model"
    trained: dict[str, Any] = {}

    def log_model(name: str, result: dict[str, Any]) -> None:
        values = {f"{name}.{key}": value for key, value in result["test"].items()}
        tracking.metrics(
            {**values, f"{name}.validation_auc": result["validation"]["auc"], f"{name}.seconds": result["seconds"]}
        )

    for number, task in enumerate(options.tasks, 1):
        say(f"[{number}/{len(options.tasks)}] {task}")
        began = time.monotonic()
        if task == "load":
            load(spark, options.input, flights)
        elif task == "preprocess":
            preprocess(spark, flights, prepared)
        else:
            trained = train(spark, flights, prepared, model, options, log_model)
        say(f"      done in {time.monotonic() - began:.1f} s")
    metrics = _metrics(spark, options, trained, time.monotonic() - started)
    if trained:
        best = trained["models"][trained["best"]]
        tracking.metrics(
            {
                **best["test"],
                "threshold": best["threshold"],
                "validation_auc": best["validation"]["auc"],
                "baseline_accuracy": trained["baseline"]["accuracy"],
            }
        )
    data = metrics["input"]
    tracking.metrics(
        {"rows": data["rows"], "bad_rows": sum(data["bad"].values()), "delayed_rate": metrics["label"]["rate"]}
    )
    _store(options, metrics, tracking)
    tracking.artifacts([output / name for name in metrics["files"]])
    if not tracking.summary()["logged"]:
        _store(options, metrics, tracking)  # it may have failed only now
    say("\n" + report(metrics))


def _store(options: Options, metrics: dict[str, Any], tracking: Tracking) -> None:
    metrics["mlflow"] = tracking.summary()
    write_text(options.output / "metrics.json", json.dumps(metrics, indent=2) + "\n")
    write_text(options.output / "report.txt", report(metrics))


def _metrics(spark: SparkSession, options: Options, trained: dict[str, Any], seconds: float) -> dict[str, Any]:
    """What METRICS.md describes; steps that have not been run leave their part empty."""

    def stored(step: str) -> dict[str, Any]:
        path = options.output / step / SUMMARY
        return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}

    data, prepared = stored("flights"), stored("prepared")
    if prepared and prepared["from"] != data["id"]:
        prepared = {}
    files = ["model"] if trained else []
    return {
        "schema": 1,
        "job": "flight-delay",
        "language": "Python",
        "spark": spark.version,
        "sparkdeck_run": os.environ.get("SPARKDECK_RUN") or None,
        "seconds": round(seconds, 1),
        "arguments": options.params(),
        "input": {key: value for key, value in data.items() if key not in ("id", "roles", "unavailable")},
        "label": {
            "delayed_minutes": DELAYED_MINUTES,
            "rows": data["usable"],
            "delayed": data["delayed"],
            "rate": data["delayed"] / data["usable"],
        },
        "split": prepared.get("split", {}),
        "features": {
            "used": [*prepared["numeric"], *prepared["categories"]],
            "unavailable": prepared["unavailable"],
            "vector": trained.get("vector", []),
            "pca": options.pca if trained else None,
        }
        if prepared
        else {},
        "models": trained.get("models", {}),
        "best": trained.get("best"),
        "baseline": trained.get("baseline"),
        "output": str(options.output),
        "files": ["metrics.json", "report.txt", *files],
    }


def main(argv: list[str]) -> int:
    """Run the job; the answer is the exit code."""
    options = parse(argv, os.environ)
    signal.signal(signal.SIGTERM, _on_term)
    tracking: Tracking | None = None
    status, error = "FAILED", ""
    spark: SparkSession | None = None
    try:
        with only_writer(options.output):
            spark = SparkSession.builder.appName("flight-delay").getOrCreate()
            tags = {"mlflow.runName": "flight-delay (Python)", "mlflow.source.name": "flight_delay.py"}
            tags["spark.app.id"] = spark.sparkContext.applicationId
            if os.environ.get("SPARKDECK_RUN"):
                tags["sparkdeck.run"] = os.environ["SPARKDECK_RUN"]
            tracking = Tracking(options.experiment, options.params(), tags)
            run(spark, options, tracking)
        status = "FINISHED"
        return 0
    except BadInput as problem:
        error = str(problem)
        return 2
    except KeyboardInterrupt:
        status, error = "KILLED", "stopped before it was done; finished steps are kept"
        return 130
    except Exception as problem:
        if spark is not None and _stopped(spark):
            status, error = "KILLED", "Spark was stopped from outside before the job was done; finished steps are kept"
            return 1
        error = _cause(problem)
        traceback.print_exc()
        return 1
    finally:
        if tracking is not None:
            tracking.end(status, error)
        if spark is not None and not _stopped(spark):
            spark.stop()
        if error:
            print(f"ERROR: {error}", file=sys.stderr, flush=True)


def _on_term(signum: int, frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def _stopped(spark: SparkSession) -> bool:
    """Whether Spark ended under the job: SIGTERM reaches its Java process only, or the application was killed."""
    try:
        return bool(spark.sparkContext._jsc.sc().isStopped())
    except Exception:  # no Java left to answer
        return True


def _cause(problem: Exception) -> str:
    """The innermost cause in a line: Java's traces are long and say it at their end."""
    if isinstance(problem, Py4JJavaError):
        java = problem.java_exception
        while java.getCause() is not None:
            java = java.getCause()
        return str(java.toString()).splitlines()[0]
    return f"{type(problem).__name__}: {str(problem).splitlines()[0] if str(problem) else ''}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
