"""New measurements to predictions, with the registry's champion."""

from __future__ import annotations

import pandas as pd
from kedro.pipeline import Pipeline, node

from windpower.clean import clean
from windpower.columns import POWER, TIME, WIND
from windpower.features import FEATURES, make_features
from windpower.places import rated_kw
from windpower.registry import Registered


def predict(champion: Registered, new_measurements: pd.DataFrame) -> pd.DataFrame:
    """A prediction for each row whose `new` is set; the rows before them are the history that features need.

    `measured` is missing where it cannot be compared, `predicted` without a possible wind speed; `note` says why.
    """
    cleaned, _ = clean(new_measurements, rated_kw())
    made = make_features(cleaned)
    wanted = cleaned[TIME].isin(new_measurements.loc[new_measurements["new"], TIME])
    cleaned, made = cleaned[wanted], made[wanted]
    found = pd.DataFrame({TIME: cleaned[TIME], "predicted": champion.predict(made[list(FEATURES)])})
    found["predicted"] = found["predicted"].where(cleaned[WIND].notna())
    found["measured"] = cleaned[POWER].mask(cleaned["Stopped"])
    found["note"] = None
    found.loc[cleaned["Stopped"], "note"] = "stopped"
    found.loc[cleaned[POWER].isna(), "note"] = "no possible Power"
    found.loc[cleaned[WIND].isna(), "note"] = "no possible WindSpeed"
    found["version"] = champion.version
    return found


def create_pipeline() -> Pipeline:
    """champion, new_measurements -> predictions."""
    return Pipeline([node(predict, ["champion", "new_measurements"], "predictions", name="predict")])
