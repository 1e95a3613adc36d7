"""Kedro datasets of this project: a folder of SCADA files, the database's two tables and the registry's champion."""

from __future__ import annotations

from typing import Any

import pandas as pd
from kedro.io import AbstractDataset, DatasetError

from windpower import database, places
from windpower.features import HISTORY_POINTS
from windpower.files import read_scada
from windpower.registry import Registered, champion

# At most this many predictions in one go: a long backlog comes in parts that the page can show.
BATCH = 2_000


class _ReadOnly:
    def save(self, data: Any) -> None:
        raise DatasetError(f"{type(self).__name__} is only read.")


class ScadaFolder(_ReadOnly, AbstractDataset[pd.DataFrame, pd.DataFrame]):  # type: ignore[misc]
    """All rows of the SCADA files under DATA_DIR/raw."""

    def load(self) -> pd.DataFrame:
        return read_scada(places.raw_folder())

    def _describe(self) -> dict[str, Any]:
        return {"folder": str(places.raw_folder())}


class NewMeasurements(_ReadOnly, AbstractDataset[pd.DataFrame, pd.DataFrame]):  # type: ignore[misc]
    """Measurements without a prediction, marked `new`, and the history that their features need."""

    def load(self) -> pd.DataFrame:
        with database.connected(places.database_file()) as shared:
            return database.new_measurements(shared, HISTORY_POINTS, BATCH)

    def _describe(self) -> dict[str, Any]:
        return {"file": str(places.database_file()), "table": "measurements"}


class Predictions(AbstractDataset[pd.DataFrame, pd.DataFrame]):  # type: ignore[misc]
    """The table of predictions; saving adds to it."""

    def load(self) -> pd.DataFrame:
        with database.connected(places.database_file()) as shared:
            return database.predictions(shared, -1)

    def save(self, data: pd.DataFrame) -> None:
        with database.connected(places.database_file()) as shared:
            database.add_predictions(shared, data)

    def _describe(self) -> dict[str, Any]:
        return {"file": str(places.database_file()), "table": "predictions"}


class Champion(_ReadOnly, AbstractDataset[Registered, Registered]):  # type: ignore[misc]
    """The registry's champion."""

    def load(self) -> Registered:
        return champion()

    def _describe(self) -> dict[str, Any]:
        return {"model": f"{places.MODEL}@{places.CHAMPION}"}
