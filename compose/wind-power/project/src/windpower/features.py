"""What the model sees of the SCADA data. Imports nothing but pandas and numpy.

Nothing here looks ahead: the features of a point depend on that point and on earlier ones only. Past power and what
follows the power (speeds and temperatures of the drive train) are left out on purpose: a model that sees them follows a
turbine that is getting worse instead of noticing it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from windpower.clean import STUCK_POINTS
from windpower.columns import STEP_MINUTES, TIME, WIND

# In points of ten minutes.
MEDIAN_POINTS = 7
FILL_POINTS = 2
LAGS = (1, 2, 3, 6)
WINDOWS = (3, 6, 18)
# A wind speed this far (m/s) from the median of the last points, itself included, is a jump of the sensor.
JUMP = 10.0
# How many earlier points the features of one point depend on.
HISTORY_POINTS = max(WINDOWS) + MEDIAN_POINTS + FILL_POINTS + STUCK_POINTS + 1

FEATURES: tuple[str, ...] = (
    "wind",
    "wind_smooth",
    *(f"wind_lag_{lag}" for lag in LAGS),
    *(f"wind_mean_{window}" for window in WINDOWS),
    *(f"wind_std_{window}" for window in WINDOWS),
    "temperature",
    "temperature_mean_6",
    "pitch",
    "pitch_lag_1",
    "direction_sin",
    "direction_cos",
    "yaw_cos",
)


def without_jumps(values: pd.Series[Any]) -> pd.Series[Any]:
    """Values with jumps replaced by the median of the last MEDIAN_POINTS; missing ones stay missing."""
    median = values.rolling(MEDIAN_POINTS, min_periods=3).median()
    return values.mask((values - median).abs() > JUMP, median)


def make_features(cleaned: pd.DataFrame) -> pd.DataFrame:
    """The features of every point of a cleaned table, in its order: time, FEATURES and `jump` (1: one was removed).

    Points that are absent in between count as missing, up to FILL_POINTS of them are filled with the value before:
    a lag of one is always ten minutes, whatever is missing.
    """
    grid = pd.date_range(cleaned[TIME].iloc[0], cleaned[TIME].iloc[-1], freq=f"{STEP_MINUTES}min")
    table = cleaned.set_index(TIME).reindex(grid)
    measured = table[WIND]
    wind = without_jumps(measured)
    filled = wind.ffill(limit=FILL_POINTS)
    made: dict[str, pd.Series[Any]] = {"wind": wind, "wind_smooth": filled.rolling(3, min_periods=1).mean()}
    for lag in LAGS:
        made[f"wind_lag_{lag}"] = filled.shift(lag)
    for window in WINDOWS:
        made[f"wind_mean_{window}"] = filled.rolling(window, min_periods=2).mean()
        made[f"wind_std_{window}"] = filled.rolling(window, min_periods=2).std()
    temperature = table["EnvirTemp"].ffill(limit=FILL_POINTS)
    made["temperature"] = temperature
    made["temperature_mean_6"] = temperature.rolling(6, min_periods=1).mean()
    made["pitch"] = table["Pitch"]
    made["pitch_lag_1"] = table["Pitch"].shift(1)
    direction = np.deg2rad(table["WindDirAbs"])
    made["direction_sin"], made["direction_cos"] = np.sin(direction), np.cos(direction)
    made["yaw_cos"] = np.cos(np.deg2rad(table["WindDirRel"]))
    made["jump"] = ((wind != measured) & measured.notna()).astype("float64")
    features = pd.DataFrame(made, index=grid).loc[cleaned[TIME]]
    return features.rename_axis(TIME).reset_index()[[TIME, *FEATURES, "jump"]]
