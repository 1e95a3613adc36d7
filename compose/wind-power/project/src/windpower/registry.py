"""The model registry: registering a challenger, and the champion as others use it."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from typing import Any

import pandas as pd

from windpower.features import FEATURES
from windpower.places import CHAMPION, EXPERIMENT, MODEL

# Given, since MLflow would otherwise load the model once more to find out.
_NEEDS = ["catboost", "numpy", "pandas"]


class NoChampion(Exception):
    """The registry has no champion, or does not answer; the message says which."""


@dataclass(frozen=True)
class Registered:
    """A registered model, loaded. Figures are None where its version has no such tag; `trained` is a Unix time."""

    version: str
    run_id: str
    trained: float
    test_mae: float | None
    mae_limit: float | None
    mape_limit: float | None
    model: Any

    def predict(self, features: pd.DataFrame) -> pd.Series[Any]:
        """Power in kW of each row of FEATURES, never below 0 but for what a standing turbine takes."""
        return pd.Series(self.model.predict(features), index=features.index, dtype="float64")


_held: Registered | None = None


def champion() -> Registered:
    """The champion with its model, loaded again only when the alias has moved.

    Raises NoChampion; MLflow's own errors where the model's files are gone.
    """
    global _held
    found = _champion()
    if _held is None or _held.version != str(found.version):
        _held = _loaded(found)
    return _held


def _loaded(found: Any) -> Registered:
    import mlflow.catboost

    def figure(tag: str) -> float | None:
        return float(found.tags[tag]) if tag in found.tags else None

    return Registered(
        version=str(found.version),
        run_id=found.run_id,
        trained=found.creation_timestamp / 1000,
        test_mae=figure("test_mae"),
        mae_limit=figure("mae_limit"),
        mape_limit=figure("mape_limit"),
        model=mlflow.catboost.load_model(f"models:/{MODEL}/{found.version}"),
    )


def _champion() -> Any:
    from mlflow import MlflowClient
    from mlflow.exceptions import MlflowException

    try:
        return MlflowClient().get_model_version_by_alias(MODEL, CHAMPION)
    except MlflowException as problem:
        if problem.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
            raise NoChampion(f"MLflow's registry has no {CHAMPION} of {MODEL} yet.") from problem
        raise NoChampion(_silent(problem)) from problem


def must_answer() -> None:
    """Raises NoChampion where MLflow does not answer: better before a training than after it."""
    from mlflow import MlflowClient
    from mlflow.exceptions import MlflowException

    try:
        MlflowClient().search_experiments(max_results=1)
    except MlflowException as problem:
        raise NoChampion(_silent(problem)) from problem


def _silent(problem: Exception) -> str:
    where = os.environ.get("MLFLOW_TRACKING_URI", "MLFLOW_TRACKING_URI, which is not set")
    return f"MLflow does not answer at {where}: {str(problem).splitlines()[0][-160:]}"


def champion_for_comparison() -> Registered | None:
    """The champion where there is one that can predict from today's features, else None; says why not."""
    try:
        found = champion()
        found.predict(pd.DataFrame([[0.0] * len(FEATURES)], columns=list(FEATURES)))
    except NoChampion:
        return None
    except (
        Exception
    ) as problem:  # whatever CatBoost or the artifact store make of a model that is gone or of other features
        print(f"The champion cannot be compared with, so the challenger takes its place: {problem}", flush=True)
        return None
    return found


def register(
    model: Any,
    tuned: dict[str, Any],
    evaluation: dict[str, Any],
    documents: dict[str, dict[str, Any]],
    champion_mae: float | None,
    *,
    best: bool,
) -> tuple[str, str]:
    """Logs a run with its model, registers it, moves the alias to it where it is `best`. Returns version and run id."""
    import mlflow
    from mlflow import MlflowClient

    mlflow.set_experiment(EXPERIMENT)
    with mlflow.start_run(run_name=time.strftime("train %Y-%m-%d %H:%M:%S")) as run:
        mlflow.log_params({**tuned["options"], "features": len(FEATURES), "train_until": evaluation["train_until"]})
        mlflow.log_metrics({name: value for name, value in evaluation["test"].items() if value == value})
        mlflow.log_metrics({f"baseline_{name}": evaluation["baseline"][name] for name in ("mae", "rmse")})
        mlflow.log_metrics(
            {"folds_mae": tuned["mae"], **({} if champion_mae is None else {"champion_mae": champion_mae})}
        )
        for number, value in enumerate(tuned["trials"]):
            mlflow.log_metric("trial_mae", value, step=number)
        for name, content in {**documents, "evaluation.json": evaluation}.items():
            mlflow.log_dict(content, name)
        logged = mlflow.catboost.log_model(model, name="model", pip_requirements=_NEEDS)
    tags = {
        "test_mae": evaluation["test"]["mae"],
        "mae_limit": evaluation["thresholds"]["mae"],
        "mape_limit": evaluation["thresholds"]["mape"],
    }
    made = mlflow.register_model(logged.model_uri, MODEL, tags={name: str(value) for name, value in tags.items()})
    if best:
        MlflowClient().set_registered_model_alias(MODEL, CHAMPION, made.version)
    return str(made.version), run.info.run_id
