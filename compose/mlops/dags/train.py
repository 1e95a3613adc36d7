"""The DAG `train`: from the data to the served champion. What the steps do is in code/breastcancer/steps.py."""

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

from airflow.sdk import Param, dag, get_current_context, task
from airflow.sdk.exceptions import AirflowFailException

# Those of breastcancer.candidates and breastcancer.data: imported here, they would load scikit-learn at each parse.
CANDIDATES = ["logistic", "forest", "boosting", "baseline"]
SPOILS = ["missing", "range", "schema", "labels"]


def _run_id() -> str:
    return str(get_current_context()["run_id"])


@dag(
    dag_id="train",
    description="Trains candidates, registers the best, promotes it if it beats the champion, tells the API",
    schedule=os.environ.get("TRAIN_SCHEDULE") or None,
    catchup=False,
    max_active_runs=1,
    # MLflow or the API may be away for a moment.
    default_args={"retries": 3, "retry_delay": timedelta(seconds=5)},
    params={
        "candidates": Param(
            CANDIDATES[:3],
            type=["array", "string"],
            items={"enum": CANDIDATES},
            description=f"What competes: {', '.join(CANDIDATES)}; as a list or with commas between",
        ),
        "spoil": Param(
            None,
            type=["string", "null"],
            enum=[None, *SPOILS],
            description="A fault to plant into the data, to see the validation stop the run",
        ),
    },
)
def train() -> None:
    """Load, validate, train each candidate, evaluate the best, register it, promote it or not, serve."""

    @task
    def load(params: dict[str, Any] | None = None) -> str:
        from breastcancer import steps

        return steps.load_samples(Path(os.environ["DATA_DIR"]), (params or {}).get("spoil"))

    @task
    def validate(path: str) -> str:
        from breastcancer import steps

        try:
            return steps.validate(path)
        except steps.BadData as error:
            # The data would be as bad in every other try.
            raise AirflowFailException(f"the data set is not to be trained on: {error}") from None

    @task
    def candidates(params: dict[str, Any] | None = None) -> list[str]:
        wanted = (params or {})["candidates"]
        names = [name.strip() for name in wanted.split(",")] if isinstance(wanted, str) else list(wanted)
        unknown = [name for name in names if name not in CANDIDATES]
        if unknown or not names:
            raise AirflowFailException(f"candidates {unknown} are not known: choose from {', '.join(CANDIDATES)}")
        return names

    @task(task_id="train", map_index_template="{{ candidate }}")
    def train_one(path: str, candidate: str) -> dict[str, Any]:
        from breastcancer import steps

        get_current_context()["candidate"] = candidate  # type: ignore[typeddict-unknown-key]
        return steps.train(_run_id(), path, candidate)

    @task
    def evaluate(path: str, trained: list[dict[str, Any]]) -> dict[str, Any]:
        from breastcancer import steps

        return steps.evaluate(path, list(trained))

    @task
    def register(best: dict[str, Any]) -> dict[str, Any]:
        from breastcancer import steps

        return steps.register(_run_id(), best)

    @task
    def promote(path: str, new: dict[str, Any]) -> dict[str, Any]:
        from breastcancer import steps

        return steps.promote(path, new)

    @task
    def serve(result: dict[str, Any]) -> dict[str, Any]:
        from breastcancer import steps

        return steps.serve(os.environ["FASTAPI_URL"], result)

    path = validate(load())
    trained = train_one.partial(path=path).expand(candidate=candidates())
    serve(promote(path, register(evaluate(path, trained))))


train()
