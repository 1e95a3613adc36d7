"""The PySpark job and the JAR through spark-submit: exit codes, what they print, what they log, the same figures."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("pyspark", reason="pyspark is not installed: pip install -e .[dev]")

import build_jar

MAIN = ("--class", "com.flightdelay.app.FlightDelayPredictionApp")
Submit = Callable[..., Any]


@pytest.fixture(scope="session")
def jar(java: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The JAR, compiled from its sources."""
    path = tmp_path_factory.mktemp("apps") / "flight-delay.jar"
    assert " built from " in build_jar.build(path)
    return path


@pytest.fixture(params=["python", "scala"])
def job(request: pytest.FixtureRequest, jobs: Path) -> list[str | Path]:
    """How spark-submit is told which of the two to run."""
    if request.param == "python":
        return [jobs / "flight_delay.py"]
    return [*MAIN, request.getfixturevalue("jar")]


def test_both_run_through_and_log(
    job: list[str | Path], submit: Submit, sample: Path, mlflow: Any, tmp_path: Path
) -> None:
    done = submit(
        *job, "--input", sample, "--output", tmp_path, "--models", "lr,rf",
        MLFLOW_TRACKING_URI=mlflow.uri, SPARKDECK_RUN="run-1",
    )  # fmt: skip
    assert done.code == 0, done.err[-3000:]
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    report = (tmp_path / "report.txt").read_text()
    assert done.out.endswith("\n" + report + "\n")
    assert max(map(len, report.splitlines())) <= 100
    assert metrics["sparkdeck_run"] == "run-1"
    assert metrics["mlflow"]["logged"] is True
    assert mlflow.runs == 1
    assert mlflow.status == "FINISHED"
    assert mlflow.tags["sparkdeck.run"] == "run-1"
    assert mlflow.params["models"] == "lr,rf"
    best = metrics["models"][metrics["best"]]
    assert mlflow.metrics["auc"] == best["test"]["auc"]
    assert mlflow.metrics["rf.auc"] == metrics["models"]["rf"]["test"]["auc"]
    assert json.loads(mlflow.artifacts["metrics.json"]) == metrics
    assert mlflow.artifacts["report.txt"].decode() == report
    files = {p.relative_to(tmp_path).as_posix() for p in (tmp_path / "model").rglob("*") if p.is_file()}
    assert {name for name in mlflow.artifacts if name.startswith("model/")} == files
    _FIGURES[metrics["language"]] = metrics


_FIGURES: dict[str, dict[str, Any]] = {}


def test_the_two_agree() -> None:
    """Runs after the two: the same counts and parts, AUCs within 0.01, the same keys in metrics.json."""
    if len(_FIGURES) < 2:
        pytest.skip("needs test_both_run_through_and_log of both languages in this session")
    python, scala = _FIGURES["Python"], _FIGURES["Scala"]

    def shape(value: Any) -> Any:
        return {key: shape(inner) for key, inner in value.items()} if isinstance(value, dict) else None

    assert shape(python) == shape(scala)
    for key in ("split", "label"):
        assert python[key] == scala[key]
    volatile = {"path", "files"}
    assert {k: v for k, v in python["input"].items() if k not in volatile} == {
        k: v for k, v in scala["input"].items() if k not in volatile
    }
    for name in ("lr", "rf"):
        assert python["models"][name]["test"]["auc"] == pytest.approx(scala["models"][name]["test"]["auc"], abs=0.01)


def test_bad_input_is_one_block_and_a_failed_run(
    job: list[str | Path], submit: Submit, sample: Path, mlflow: Any, tmp_path: Path
) -> None:
    source = tmp_path / "in"
    source.mkdir()
    whole = next(sample.glob("*.csv.gz")).read_bytes()
    (source / "cut.csv.gz").write_bytes(whole[: len(whole) // 2])
    done = submit(*job, "--input", source, "--output", tmp_path / "out", MLFLOW_TRACKING_URI=mlflow.uri)
    assert done.code == 2
    assert done.error == (
        f"ERROR: {source}/cut.csv.gz: truncated gzip file: it ends before its end mark. Copy or download it again."
    )
    assert "\tat " not in done.err + done.out  # no Java stack trace
    assert mlflow.status == "FAILED"
    assert "truncated gzip" in mlflow.tags["error"]


def test_other_bad_input_of_the_jar(submit: Submit, jar: Path, tmp_path: Path) -> None:
    source = tmp_path / "x.csv"
    source.write_text(
        "FL_DATE,OP_UNIQUE_CARRIER,ORIGIN,DEST,CRS_DEPT_TIME,ARR_DELAY\n2023-05-01,AA,ATL,JFK,0830,1.00\n"
    )
    done = submit(*MAIN, jar, "--input", source, "--output", tmp_path / "out", MLFLOW_TRACKING_URI="http://127.0.0.1:9")
    assert done.code == 2
    assert done.error.startswith(f"ERROR: {source}: 1 of the columns that the job needs are missing:\n")
    assert "CRS_DEP_TIME: scheduled departure (hhmm) (nearest here: CRS_DEPT_TIME)" in done.error
    assert "WARNING: MLflow: http://127.0.0.1:9: not reachable" in done.out
    assert submit(*MAIN, jar, "--models", "svm").error.startswith(
        "ERROR: argument --models: svm: expected some of lr,rf,gbt"
    )


def test_jar_is_built_once_and_whole(jar: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert build_jar.build(jar).startswith(f"{jar} is up to date (Scala 2.")
    broken = tmp_path / "jobs"
    (broken / "scala").mkdir(parents=True)
    (broken / "scala" / "A.scala").write_text('object A { val x: Int = "text" }\n')
    (broken / "columns.json").write_text("{}")
    monkeypatch.setattr(build_jar, "HERE", broken)
    target = tmp_path / "apps" / "a.jar"
    assert build_jar.main([str(target)]) == 1
    assert not target.parent.exists()


def test_compiler_errors_are_readable(
    java: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "scala").mkdir()
    (tmp_path / "scala" / "A.scala").write_text("object A { def f = nothing }\n")
    (tmp_path / "columns.json").write_text("{}")
    monkeypatch.setattr(build_jar, "HERE", tmp_path)
    assert build_jar.main([str(tmp_path / "a.jar")]) == 1
    error = capsys.readouterr().err
    assert "scala/A.scala:1: error: not found: value nothing" in error
    assert str(tmp_path / "scala") not in error
    assert error.rstrip().endswith("was not built: the Scala compiler refused the sources (see above).")


def test_no_java_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    assert build_jar.main([str(tmp_path / "a.jar")]) == 2
    assert f"no Java in JAVA_HOME={tmp_path}" in capsys.readouterr().err
