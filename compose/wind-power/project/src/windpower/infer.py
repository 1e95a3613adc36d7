"""Looks for new measurements every few seconds and predicts them with the registry's champion."""

from __future__ import annotations

import sqlite3
import sys
from dataclasses import fields

from windpower import database, places
from windpower.registry import NoChampion, champion
from windpower.running import ended, run_pipeline, told_to_stop


def predict_new() -> str | None:
    """Predicts what is new. Returns what to tell, None where there was nothing new. Raises NoChampion."""
    with database.connected(places.database_file()) as shared:
        new = database.waiting(shared)
        # Looked for even without new points: the page shows which model is in use.
        best = champion()
        used = database.model_in_use(shared)
        told = None
        if used is None or used["version"] != best.version:
            database.use_model(shared, {field.name: getattr(best, field.name) for field in fields(best)})
            told = f"version {best.version} of {places.MODEL} predicts from now on"
    if not new:
        return told
    run_pipeline("inference", quiet=True)
    with database.connected(places.database_file()) as shared:
        left = database.waiting(shared)
        last = database.newest(shared, "predictions")
    done = f"{max(0, new - left):,} points predicted with version {best.version}, up to {last}"
    return done if told is None else f"{told}; {done}"


def main() -> int:
    """Runs until told to stop; what fails meanwhile is said, once, and tried again."""
    from kedro.io import DatasetError
    from mlflow.exceptions import MlflowException

    seconds = places.number("INFERENCE_SECONDS", 5, 0.1, 3600)
    told = told_to_stop()
    said = None
    while not told.is_set():
        try:
            news = predict_new()
        except NoChampion as problem:
            news = f"waiting: {problem}"
        except (DatasetError, MlflowException, OSError, sqlite3.Error) as problem:
            news = f"trying again in {seconds:g} s: {str(problem).strip().splitlines()[-1][:300]}"
        if news is not None and news != said:
            print(news, flush=True)
            said = news
        told.wait(seconds)
    return 0


if __name__ == "__main__":
    sys.exit(ended(main))
