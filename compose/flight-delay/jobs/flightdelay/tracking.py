"""MLflow: one run per submission. Trouble with MLflow is told, never a reason for the job to fail."""

import os
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from flightdelay.steps import say

if TYPE_CHECKING:
    from mlflow import MlflowClient

PATIENCE: Final = 5  # seconds for the first answer


class Tracking:
    """A run on the MLflow server of MLFLOW_TRACKING_URI, or the reason why there is none."""

    def __init__(self, experiment: str, params: Mapping[str, str], tags: Mapping[str, str]) -> None:
        self.experiment = experiment
        self.uri = os.environ.get("MLFLOW_TRACKING_URI", "")
        self.run_id: str | None = None
        self.problem: str | None = None
        self._client: MlflowClient | None = None
        if not self.uri:
            self.problem = "MLFLOW_TRACKING_URI is not set"
            return
        self._guarded(lambda: self._start(params, tags))

    def _start(self, params: Mapping[str, str], tags: Mapping[str, str]) -> None:
        if self.uri.startswith(("http://", "https://")):
            _probe(self.uri)
        # The client's own defaults keep a job waiting for minutes.
        os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
        os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "20")
        os.environ["MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT"] = "true"
        from mlflow import MlflowClient
        from mlflow.entities import Param

        client = MlflowClient(self.uri)
        found = client.get_experiment_by_name(self.experiment)
        if found is not None and found.lifecycle_stage == "deleted":
            raise RuntimeError(f"experiment {self.experiment} is deleted: restore it, or give another --experiment")
        number = found.experiment_id if found else client.create_experiment(self.experiment)
        run = client.create_run(number, tags=dict(tags), run_name=tags.get("mlflow.runName"))
        self.run_id, self._client = run.info.run_id, client
        client.log_batch(self.run_id, params=[Param(key, value) for key, value in params.items()])

    def metrics(self, values: Mapping[str, float]) -> None:
        """Log numbers; names may have a prefix, as in lr.auc."""
        from_now = int(time.time() * 1000)

        def log(client: "MlflowClient", run: str) -> None:
            from mlflow.entities import Metric

            client.log_batch(run, metrics=[Metric(k, float(v), from_now, 0) for k, v in values.items()])

        self._with_run(log)

    def artifacts(self, paths: list[Path]) -> None:
        """Upload files and folders under their own names."""

        def log(client: "MlflowClient", run: str) -> None:
            for path in paths:
                if path.is_dir():
                    client.log_artifacts(run, str(path), path.name)
                else:
                    client.log_artifact(run, str(path))

        self._with_run(log)

    def end(self, status: str, error: str | None = None) -> None:
        """End the run as FINISHED, FAILED or KILLED."""

        def stop(client: "MlflowClient", run: str) -> None:
            if error:
                client.set_tag(run, "error", error[:4000])
            client.set_terminated(run, status)

        self._with_run(stop)

    def summary(self) -> dict[str, Any]:
        """For metrics.json."""
        return {
            "logged": self.problem is None,
            "uri": self.uri or None,
            "experiment": self.experiment,
            "run_id": self.run_id,
            "problem": self.problem,
        }

    def _with_run(self, work: "Callable[[MlflowClient, str], None]") -> None:
        client, run = self._client, self.run_id
        if client is not None and run is not None:
            self._guarded(lambda: work(client, run))

    def _guarded(self, work: Callable[[], None]) -> None:
        try:
            work()
        except Exception as problem:  # whatever the client raises, the job goes on
            first = (str(problem).splitlines() or [type(problem).__name__])[0]
            self.problem = f"{self.uri}: {first[:200]}"
            self._client = None
            say(f"WARNING: MLflow: {self.problem}; the job goes on without it")


def _probe(uri: str) -> None:
    """Ask for the API as the client will: /health says OK even where the API refuses this host name."""
    url = f"{uri.rstrip('/')}/api/2.0/mlflow/experiments/search?max_results=1"
    try:
        with urllib.request.urlopen(url, timeout=PATIENCE):
            pass
    except urllib.error.HTTPError as answer:
        if answer.code == 403:
            raise RuntimeError(f"answers 403 ({answer.read(100).decode(errors='replace').strip()})") from None
    except OSError as problem:
        raise RuntimeError(f"not reachable ({getattr(problem, 'reason', problem)})") from None
