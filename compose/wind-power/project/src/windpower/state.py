"""What is known of the running application, for the page and for the report: read from the database alone."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from typing import Any

import pandas as pd

from windpower import database, places
from windpower.columns import TIME
from windpower.metrics import ENOUGH, Health, health

# Two weeks of points: what the page draws, and the rolling figures of.
SHOWN = 2_016


@dataclass(frozen=True)
class State:
    """`points` has time, predicted, measured, mae and mape (rolling; missing where nothing is scored)."""

    counts: dict[str, int]
    model: dict[str, Any] | None
    health: Health
    points: pd.DataFrame

    def sentence(self) -> str:
        """What there is to see, or what it waits for."""
        if self.model is None:
            return "Waiting for a model: app-ml-train trains one, then app-ml-inference predicts with it."
        if not self.counts["measurements"]:
            return "Waiting for the first measurement: app-stream-data writes them into the database."
        if not self.counts["predictions"]:
            return "Waiting for the first prediction: app-ml-inference looks for new points every few seconds."
        if self.health.scored < ENOUGH:
            return f"Waiting for more points: {self.health.sentence()}"
        return self.health.sentence()


def state() -> State:
    """The state as the database has it now."""
    with database.connected(places.database_file()) as shared:
        counts, model = database.counts(shared), database.model_in_use(shared)
        points = database.predictions(shared, SHOWN)
    limits = (model["mae_limit"], model["mape_limit"]) if model else (None, None)
    found, figures = health(points, places.rated_kw(), *limits)
    points = points[[TIME, "predicted", "measured", "note", "version"]].join(figures)
    return State(counts, model, found, points)


def figure(value: float | None, unit: str) -> str:
    """A figure with its unit; unknown where there is none."""
    return "unknown" if value is None else f"{value:,.1f} {unit}"


def age(since: float) -> str:
    """How long ago a Unix time is."""
    seconds = max(0.0, time.time() - since)
    for size, unit in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= size:
            count = int(seconds // size)
            return f"{count} {unit}{'s' if count > 1 else ''}"
    return f"{int(seconds)} s"


def links() -> dict[str, str]:
    """The pages beside this one, by title, as a browser reaches them; only http and https."""
    known = {"MLflow": os.environ.get("MLFLOW_UI_URI", ""), "Kedro-Viz": os.environ.get("KEDRO_VIZ_URI", "")}
    return {name: url.rstrip("/") for name, url in known.items() if url.startswith(("http://", "https://"))}
