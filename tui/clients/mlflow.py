"""An MLflow tracking server: experiments, runs, metrics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TypeVar
from urllib.parse import quote, urlsplit

from msgspec import Struct
from msgspec.structs import replace

from tui.clients.http import ClientError, HttpClient, Trouble
from tui.clients.text import plain

T = TypeVar("T")

RUN_TAG = "sparkdeck.run"
"""The tag of an MLflow run that holds the id of the SparkDeck run which logged it."""


class Metric(Struct, frozen=True):
    """A metric's value at a step. `timestamp` in milliseconds since the epoch."""

    key: str
    value: float | str
    timestamp: int = 0
    step: int = 0

    @property
    def number(self) -> float | None:
        """The value; MLflow sends NaN and the infinities as words. None if it is no number."""
        try:
            return float(self.value)
        except ValueError:
            return None


class _Pair(Struct, frozen=True):
    key: str
    value: str = ""


class Experiment(Struct, frozen=True):
    """An experiment that is not deleted."""

    experiment_id: str
    name: str


class RunInfo(Struct, frozen=True):
    """A run's head. `status`: RUNNING (for ever if its client died), SCHEDULED, FINISHED, FAILED, KILLED."""

    run_id: str
    experiment_id: str
    status: str
    run_name: str = ""
    start_time: int | None = None
    end_time: int | None = None

    @property
    def started_at(self) -> datetime | None:
        """When it started."""
        return _time(self.start_time)

    @property
    def ended_at(self) -> datetime | None:
        """When it ended; None while it runs."""
        return _time(self.end_time)


class _RunData(Struct, frozen=True):
    metrics: tuple[Metric, ...] = ()
    params: tuple[_Pair, ...] = ()
    tags: tuple[_Pair, ...] = ()


class MlflowRun(Struct, frozen=True):
    """A run with the last value of every metric."""

    info: RunInfo
    data: _RunData = _RunData()

    @property
    def metrics(self) -> dict[str, float]:
        """Last values by name."""
        numbers = {metric.key: metric.number for metric in self.data.metrics}
        return {key: number for key, number in numbers.items() if number is not None}

    @property
    def params(self) -> dict[str, str]:
        """Parameters by name."""
        return {pair.key: pair.value for pair in self.data.params}

    @property
    def tags(self) -> dict[str, str]:
        """Tags by name."""
        return {pair.key: pair.value for pair in self.data.tags}


class ModelVersion(Struct, frozen=True):
    """A version of a registered model. `aliases` are the names that point at it, as champion."""

    name: str
    version: str
    run_id: str = ""
    aliases: tuple[str, ...] = ()


class ModelAlias(Struct, frozen=True):
    """A name that points at a version of a registered model."""

    model: str
    alias: str
    version: str


class _Alias(Struct, frozen=True):
    alias: str
    version: str


class _Model(Struct, frozen=True):
    name: str
    aliases: tuple[_Alias, ...] = ()


class _Models(Struct, frozen=True):
    registered_models: tuple[_Model, ...] = ()


class _Versions(Struct, frozen=True):
    model_versions: tuple[ModelVersion, ...] = ()


class _Experiments(Struct, frozen=True):
    experiments: tuple[Experiment, ...] = ()


class _Runs(Struct, frozen=True):
    runs: tuple[MlflowRun, ...] = ()


class _History(Struct, frozen=True):
    metrics: tuple[Metric, ...] = ()


def _time(ms: int | None) -> datetime | None:
    try:
        return datetime.fromtimestamp(ms / 1000, UTC) if ms else None
    except (OverflowError, ValueError, OSError):
        return None


class MlflowClient(HttpClient):
    """The REST API 2.0. Since 3.5 the server refuses host names that it was not told of, while its health page goes on
    saying OK."""

    system = "MLflow"
    advice = "Check that MLflow runs: sparkdeck status."
    timeout = 8.0

    async def experiments(self, max_results: int = 1000) -> Sequence[Experiment]:
        """The active experiments, newest change first. Raises ClientError."""
        return (await self._api("experiments/search", {"max_results": max_results}, _Experiments)).experiments

    async def runs(
        self,
        experiment_ids: Sequence[str] | None = None,
        *,
        max_results: int = 100,
    ) -> Sequence[MlflowRun]:
        """Runs of these experiments (of all, if None), newest first. Raises ClientError."""
        if experiment_ids is None:
            experiment_ids = [experiment.experiment_id for experiment in await self.experiments()]
        if not experiment_ids:
            return ()
        body = {
            "experiment_ids": list(experiment_ids),
            "order_by": ["attributes.start_time DESC"],
            "max_results": max_results,
        }
        return (await self._api("runs/search", body, _Runs)).runs

    async def history(self, run_id: str, metric: str, max_results: int = 1000) -> Sequence[Metric]:
        """A metric's values in the order they were logged. Raises ClientError."""
        params = {"run_id": run_id, "metric_key": metric, "max_results": str(max_results)}
        return (await self._get("metrics/get-history", params, _History)).metrics

    async def model_versions(self, max_results: int = 1000) -> Sequence[ModelVersion]:
        """The versions of the registered models, newest change first. Raises ClientError."""
        most = {"max_results": str(max_results)}
        versions = (await self._get("model-versions/search", most, _Versions)).model_versions
        if not versions:
            return ()
        # Only the models know the aliases.
        aliases: dict[tuple[str, str], list[str]] = {}
        for one in await self.aliases(max_results):
            aliases.setdefault((one.model, one.version), []).append(one.alias)
        return [replace(each, aliases=tuple(aliases.get((each.name, each.version), ()))) for each in versions]

    async def aliases(self, max_results: int = 1000) -> Sequence[ModelAlias]:
        """The names that point at versions of the registered models. Raises ClientError."""
        most = {"max_results": str(max_results)}
        models = (await self._get("registered-models/search", most, _Models)).registered_models
        return [ModelAlias(model.name, one.alias, one.version) for model in models for one in model.aliases]

    def run_url(self, run: MlflowRun) -> str:
        """The run's page under this client's base URL."""
        experiment, run_id = quote(run.info.experiment_id, safe=""), quote(run.info.run_id, safe="")
        return f"{self.base_url}/#/experiments/{experiment}/runs/{run_id}"

    async def _api(self, path: str, body: Mapping[str, object], type: type[T]) -> T:
        try:
            return await self.post(f"/api/2.0/mlflow/{path}", body, type)
        except ClientError as error:
            raise self._explained(error) from None

    async def _get(self, path: str, params: Mapping[str, str], type: type[T]) -> T:
        try:
            return await self.get(f"/api/2.0/mlflow/{path}", type, params)
        except ClientError as error:
            raise self._explained(error) from None

    def _explained(self, error: ClientError) -> ClientError:
        if error.status != 403 or "invalid host" not in error.body.lower():
            return error
        host = plain(urlsplit(self.base_url).netloc)
        text = (
            f"MLflow at {self.base_url} refuses the host name {host} (Invalid Host header). "
            f"Start it with --allowed-hosts that names {host}, port included."
        )
        return ClientError(Trouble.STATUS, text, status=403, body=error.body)
