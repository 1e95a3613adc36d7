"""The steps of a training run; the DAG names their order. Each may be done twice: the second time changes nothing."""

import json
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from mlflow import MlflowClient
from sklearn.model_selection import cross_val_score

from breastcancer import registry
from breastcancer.candidates import CANDIDATES
from breastcancer.checks import problems
from breastcancer.columns import NAMES, TARGET
from breastcancer.data import load, read, split, write
from breastcancer.scores import DECISIVE, beats, scores

PATIENCE: Final = 60  # seconds for the API to load a model


class BadData(Exception):
    """The data set is not to be trained on; the text says why."""


class NotServed(Exception):
    """The API does not serve the champion; the text says why."""


def load_samples(folder: Path, spoil: str | None) -> str:
    """Loads the data set into `folder`; returns its file."""
    frame = load(spoil)
    folder.mkdir(parents=True, exist_ok=True)
    path = write(frame, folder)
    print(f"{len(frame)} samples in {path}" + (f", spoilt on request: {spoil}" if spoil else ""))
    return str(path)


def validate(path: str) -> str:
    """Returns the same file, or raises BadData with all that is wrong."""
    frame = read(Path(path))
    if found := problems(frame):
        raise BadData("; ".join(found))
    print(f"{len(frame)} samples are as they should be, {frame[TARGET].mean():.0%} of them malignant")
    return path


def train(dag_run: str, path: str, candidate: str) -> dict[str, Any]:
    """Trains one candidate and logs it in MLflow; its log loss comes from cross-validation within the training part."""
    run = registry.finished(dag_run, candidate)
    if run is not None:
        print(f"{candidate} was trained before Airflow was interrupted: MLflow run {run.info.run_id}")
        return {"candidate": candidate, "run_id": run.info.run_id, "cv_log_loss": run.data.metrics["cv_log_loss"]}
    part, _ = split(read(Path(path)))
    inputs, truth = part[list(NAMES)], part[TARGET]
    model = CANDIDATES[candidate]()
    loss = -float(cross_val_score(model, inputs, truth, scoring="neg_log_loss", cv=5).mean())
    model.fit(inputs, truth)
    params = {"candidate": candidate, "samples": len(part), "data": Path(path).name}
    run_id = registry.log(dag_run, candidate, model, params, {"cv_log_loss": loss})
    print(f"{candidate}: log loss {loss:.4f} in cross-validation over {len(part)} samples, MLflow run {run_id}")
    return {"candidate": candidate, "run_id": run_id, "cv_log_loss": loss}


def evaluate(path: str, trained: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Evaluates the best candidate of the cross-validation on the part that none of them has seen."""
    best = min(trained, key=lambda one: one["cv_log_loss"])
    _, held_out = split(read(Path(path)))
    metrics = scores(registry.trained(best["run_id"]), held_out)
    client = MlflowClient()
    for name, value in metrics.items():
        client.log_metric(best["run_id"], name, value)
    print(f"{best['candidate']} is the best of {len(trained)}; on {len(held_out)} held-out samples: {_words(metrics)}")
    return {"candidate": best["candidate"], "run_id": best["run_id"], "metrics": metrics}


def register(dag_run: str, best: Mapping[str, Any]) -> dict[str, Any]:
    """Registers the best candidate as a new version."""
    version = registry.registered(dag_run, best["run_id"])
    print(f"{best['candidate']} is version {version}")
    return {**best, "version": version}


def promote(path: str, new: Mapping[str, Any]) -> dict[str, Any]:
    """Moves the champion alias to the new version if that is better on the same held-out samples."""
    version, metrics = new["version"], new["metrics"]
    champion = registry.champion()
    if champion is None:
        registry.crown(version)
        outcome = {"promoted": True, "why": f"version {version} is the first champion"}
    elif str(champion.version) == version:
        outcome = {"promoted": True, "why": f"version {version} was promoted before Airflow was interrupted"}
    else:
        _, held_out = split(read(Path(path)))
        theirs = scores(registry.load(champion.version), held_out)
        ours = f"version {version}'s {DECISIVE} {metrics[DECISIVE]:.4f}"
        if beats(metrics, theirs):
            registry.crown(version)
            why = f"{ours} is below version {champion.version}'s {theirs[DECISIVE]:.4f}"
            outcome = {"promoted": True, "why": why}
        else:
            why = f"{ours} is not below version {champion.version}'s {theirs[DECISIVE]:.4f}"
            outcome = {"promoted": False, "why": why}
    print(f"{'promoted' if outcome['promoted'] else 'kept the champion'}: {outcome['why']}")
    return {"version": version, "candidate": new["candidate"], **outcome, "metrics": metrics}


def serve(url: str, result: Mapping[str, Any]) -> dict[str, Any]:
    """Tells the API at `url` to look at the champion; returns the result with the version that it then serves."""
    champion = registry.champion()
    request = urllib.request.Request(f"{url}/reload", method="POST")
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            serving = json.load(answer)["version"]
    except urllib.error.HTTPError as error:
        raise NotServed(f"the API at {url} answers {error.code}: {error.read(2000).decode(errors='replace')}") from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise NotServed(f"the API at {url} was told and does not answer ({error}): is fastapi up?") from None
    if champion is None or serving != str(champion.version):
        raise NotServed(f"the API at {url} serves version {serving}, not the champion")
    print(f"the API serves version {serving}")
    return {**result, "serving": serving}


def _words(metrics: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {value:.4f}" for name, value in metrics.items())
