"""What MLflow keeps of the runs: one MLflow run a candidate, one version of the registered model a DAG run.

All is marked with the DAG run it belongs to. A step that is done again, since Airflow was killed in the middle of it,
finds what it had finished and takes that.
"""

import warnings
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any, Final

import mlflow
from mlflow import MlflowClient
from mlflow.entities import Run
from mlflow.entities.model_registry import ModelVersion

from breastcancer.candidates import TRUSTED
from breastcancer.columns import CHAMPION, MODEL

with warnings.catch_warnings():
    # It looks for its types in every module there is, and Airflow's complain of that at length.
    warnings.simplefilter("ignore")
    import skops.io  # noqa: F401

RUN_TAG: Final = "airflow.run"
CANDIDATE_TAG: Final = "candidate"
SINCE_TAG: Final = "champion.since"  # when the version became the champion, ISO 8601 in UTC
ARTIFACT: Final = "model"


def finished(dag_run: str, candidate: str) -> Run | None:
    """The MLflow run of a candidate if it was trained to its end; those that were left in the middle are closed."""
    client = MlflowClient()
    experiment = client.get_experiment_by_name(MODEL)
    if experiment is None:
        return None
    mine = f"tags.`{RUN_TAG}` = '{dag_run}' AND tags.`{CANDIDATE_TAG}` = '{candidate}'"
    found = None
    for run in client.search_runs([experiment.experiment_id], mine):
        if run.info.status == "FINISHED":
            found = run
        elif run.info.status == "RUNNING":
            client.set_terminated(run.info.run_id, "KILLED")
    return found


def log(dag_run: str, candidate: str, model: Any, params: Mapping[str, Any], metrics: Mapping[str, float]) -> str:
    """Logs a trained candidate with its model; returns the MLflow run's id."""
    mlflow.set_experiment(MODEL)
    with mlflow.start_run(run_name=candidate, tags={RUN_TAG: dag_run, CANDIDATE_TAG: candidate}) as run:
        mlflow.log_params(dict(params))
        mlflow.log_metrics(dict(metrics))
        mlflow.sklearn.log_model(
            model,
            name=ARTIFACT,
            # Else MLflow loads the model once more in a process of its own to find them out.
            pip_requirements=[f"{name}=={version(name)}" for name in ("scikit-learn", "skops")],
            pyfunc_predict_fn="predict_proba",
            skops_trusted_types=TRUSTED,
        )
        return str(run.info.run_id)


def trained(run_id: str) -> Any:
    """The model of an MLflow run."""
    return mlflow.sklearn.load_model(f"runs:/{run_id}/{ARTIFACT}")


def registered(dag_run: str, run_id: str) -> str:
    """Registers an MLflow run's model as a new version, once a DAG run; returns the version."""
    client = MlflowClient()
    if not client.search_registered_models(f"name = '{MODEL}'"):
        client.create_registered_model(MODEL)
    for known in client.search_model_versions(f"name = '{MODEL}'"):
        if known.tags.get(RUN_TAG) == dag_run:
            return str(known.version)
    (model,) = client.search_logged_models([client.get_run(run_id).info.experiment_id], f"source_run_id = '{run_id}'")
    tags = {RUN_TAG: dag_run}
    new = client.create_model_version(MODEL, model.artifact_location, run_id, tags, model_id=model.model_id)
    return str(new.version)


def champion() -> ModelVersion | None:
    """The version that has the alias; None where there is none yet."""
    client = MlflowClient()
    for model in client.search_registered_models(f"name = '{MODEL}'"):
        if CHAMPION in model.aliases:
            return client.get_model_version(MODEL, model.aliases[CHAMPION])
    return None


def load(number: str) -> Any:
    """The model of a version."""
    return mlflow.sklearn.load_model(f"models:/{MODEL}/{number}")


def crown(number: str) -> None:
    """Moves the alias to a version."""
    client = MlflowClient()
    # First the tag: whoever sees the alias finds it.
    client.set_model_version_tag(MODEL, number, SINCE_TAG, datetime.now(UTC).isoformat(timespec="seconds"))
    client.set_registered_model_alias(MODEL, CHAMPION, number)
