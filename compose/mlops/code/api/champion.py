"""The champion in memory: taken from MLflow at the start, when told, and now and then."""

import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from breastcancer import registry
from breastcancer.columns import CHAMPION, MODEL
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException


@dataclass(frozen=True)
class Loaded:
    """A version that is served. `since`: when it became the champion, None if whoever moved the alias did not say."""

    model: Any
    version: str
    candidate: str | None
    metrics: Mapping[str, float]
    since: datetime | None
    loaded: datetime


class Champion:
    """What is served, or why nothing is. `refresh` may be called from any thread."""

    def __init__(self) -> None:
        self.now: Loaded | None = None
        self.problem: str | None = "nobody has looked for a champion yet"
        self._lock = threading.Lock()

    def refresh(self) -> None:
        """Looks at MLflow; loads the champion if it is another one than before. What is loaded outlives MLflow."""
        with self._lock:
            try:
                self._look()
            except (MlflowException, OSError) as error:
                uri = os.environ.get("MLFLOW_TRACKING_URI", "")
                said = str(error).splitlines()[0][:300] if str(error) else type(error).__name__
                self.problem = f"the champion cannot be had from MLflow at {uri}: {said}"

    def _look(self) -> None:
        version = registry.champion()
        if version is None:
            self.now = None
            self.problem = f"no version of the model {MODEL} has the alias {CHAMPION} yet: train one"
            return
        if self.now is None or self.now.version != str(version.version):
            run = MlflowClient().get_run(version.run_id).data if version.run_id else None
            since = version.tags.get(registry.SINCE_TAG)
            self.now = Loaded(
                model=registry.load(version.version),
                version=str(version.version),
                candidate=run.tags.get(registry.CANDIDATE_TAG) if run else None,
                metrics=dict(run.metrics) if run else {},
                since=datetime.fromisoformat(since) if since else None,
                loaded=datetime.now(UTC).replace(microsecond=0),
            )
        self.problem = None
