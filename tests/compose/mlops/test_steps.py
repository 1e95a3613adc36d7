"""The steps of a training run, on an MLflow without a server: what is promoted, and what a second try does."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import mlflow
import pytest
from breastcancer import registry, steps
from breastcancer.columns import MODEL, NAMES
from breastcancer.data import load, split
from breastcancer.scores import beats, scores


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The data set's file, with an MLflow that lies beside it."""
    folder: Path = tmp_path_factory.mktemp("mlops")
    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(f"sqlite:///{folder}/mlflow.db")
    mlflow.create_experiment(MODEL, artifact_location=(folder / "artifacts").as_uri())
    try:
        yield steps.validate(steps.load_samples(folder / "data", None))
    finally:
        mlflow.set_tracking_uri(before)


def run(samples: str, dag_run: str, *candidates: str) -> dict[str, Any]:
    """A training run up to the promotion."""
    trained = [steps.train(dag_run, samples, candidate) for candidate in candidates]
    outcome: dict[str, Any] = steps.promote(samples, steps.register(dag_run, steps.evaluate(samples, trained)))
    return outcome


def champion() -> str | None:
    found = registry.champion()
    return None if found is None else str(found.version)


def test_only_a_better_model_becomes_the_champion(samples: str) -> None:
    assert champion() is None
    first = run(samples, "one", "boosting")
    assert (first["version"], first["promoted"], first["why"]) == ("1", True, "version 1 is the first champion")
    worse = run(samples, "two", "baseline")
    assert (worse["version"], worse["promoted"], champion()) == ("2", False, "1")
    assert "version 2's log_loss 0.64" in worse["why"] and "is not below version 1's 0.2" in worse["why"]
    better = run(samples, "three", "logistic", "baseline")
    assert (better["version"], better["promoted"], champion()) == ("3", True, "3")
    assert better["candidate"] == "logistic", "the best of them was registered"
    same = run(samples, "four", "logistic")
    assert (same["version"], same["promoted"], champion()) == ("4", False, "3"), "a tie leaves the champion"
    found = registry.champion()
    assert found is not None and registry.SINCE_TAG in found.tags
    _, held_out = split(load())
    assert scores(registry.load("3"), held_out) == pytest.approx(better["metrics"]), "what was kept is what was scored"


def test_a_step_that_is_done_again_changes_nothing(samples: str) -> None:
    client = mlflow.MlflowClient()
    experiment = client.get_experiment_by_name(MODEL)
    assert experiment is not None
    tags = {registry.RUN_TAG: "five", registry.CANDIDATE_TAG: "logistic"}
    left = client.create_run(experiment.experiment_id, tags=tags).info.run_id
    once = steps.train("five", samples, "logistic")
    assert client.get_run(left).info.status == "KILLED", "what a killed Airflow left is closed"
    assert once["run_id"] != left
    assert steps.train("five", samples, "logistic") == once
    best = steps.evaluate(samples, [once])
    new = steps.register("five", best)
    assert steps.register("five", best) == new
    registry.crown(new["version"])
    assert steps.promote(samples, new)["promoted"], "killed between the promotion and its result"
    assert champion() == new["version"]


def test_bad_data_is_refused(samples: str, tmp_path: Path) -> None:
    with pytest.raises(steps.BadData, match="column texture has no value in 12 of 569"):
        steps.validate(steps.load_samples(tmp_path, "missing"))


def test_a_tie_is_not_better() -> None:
    assert beats({"log_loss": 0.1}, {"log_loss": 0.2})
    assert not beats({"log_loss": 0.2}, {"log_loss": 0.2})
    assert not beats({"log_loss": 0.3}, {"log_loss": 0.2})


class _Api(BaseHTTPRequestHandler):
    answer: tuple[int, object]

    def do_POST(self) -> None:
        assert self.path == "/reload"
        status, body = self.answer
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def log_message(self, format: str, *args: Any) -> None: ...


@pytest.fixture
def api() -> Iterator[str]:
    """An API that answers as it is told."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Api)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_the_api_must_serve_the_champion(samples: str, api: str) -> None:
    version = champion()
    _Api.answer = (200, {"version": version})
    assert steps.serve(api, {"promoted": True}) == {"promoted": True, "serving": version}
    for answer, words in (
        ((200, {"version": "999"}), "serves version 999, not the champion"),
        ((503, {"detail": "no model"}), "answers 503: .*no model"),
        ((200, ["?"]), "does not answer"),
    ):
        _Api.answer = answer
        with pytest.raises(steps.NotServed, match=words):
            steps.serve(api, {})
    with pytest.raises(steps.NotServed, match="is fastapi up"):
        steps.serve("http://127.0.0.1:9", {})


def test_the_probability_is_that_of_malignant(samples: str) -> None:
    frame = load()
    sample = frame.iloc[[0]][list(NAMES)]
    version = champion()
    assert version is not None
    assert registry.load(version).predict_proba(sample)[0, 1] > 0.9
