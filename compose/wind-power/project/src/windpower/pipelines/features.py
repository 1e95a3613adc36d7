"""SCADA files to a table of features."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import pandas as pd
from kedro.pipeline import Pipeline, node

from windpower.clean import UnusableData, clean
from windpower.features import make_features
from windpower.places import rated_kw


def clean_scada(scada: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Cleans the rows and says what was found. Raises UnusableData where nothing is left."""
    cleaned, report = clean(scada, rated_kw())
    print("\n".join(report.lines()), flush=True)
    if not report.usable:
        raise UnusableData(f"None of the {report.rows:,} rows has a time, a possible WindSpeed and a possible Power.")
    return cleaned, asdict(report)


def create_pipeline() -> Pipeline:
    """scada -> cleaned, cleaning_report -> feature_table."""
    return Pipeline(
        [
            node(clean_scada, "scada", ["cleaned", "cleaning_report"], name="clean_scada"),
            node(make_features, "cleaned", "feature_table", name="make_features"),
        ]
    )
