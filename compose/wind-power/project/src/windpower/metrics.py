"""How far predictions are from what was measured. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from windpower.columns import POINTS_A_DAY

# The rolling figures look at the points of the last days, and say nothing before a quarter of them is there. One day
# is not enough: in some weather a healthy turbine is harder to predict than in other.
WINDOW_DAYS = 2
WINDOW = WINDOW_DAYS * POINTS_A_DAY
ENOUGH = WINDOW // 4
# A relative error says nothing where there is hardly any power: below this share of the rated power it is left out.
FLOOR = 0.1
# The threshold is this much above the worst window of the test part.
MARGIN = 1.25


def errors(predicted: pd.Series[Any], measured: pd.Series[Any], rated_kw: float) -> pd.DataFrame:
    """`absolute` in kW, and `relative` in percent of the measured power, missing below FLOOR of the rated power."""
    absolute = (predicted - measured).abs()
    relative = (100 * absolute / measured).where(measured >= FLOOR * rated_kw)
    return pd.DataFrame({"absolute": absolute, "relative": relative})


def scores(predicted: pd.Series[Any], measured: pd.Series[Any], rated_kw: float) -> dict[str, float]:
    """MAE and RMSE in kW, MAPE in percent (above the floor), bias in kW (above 0: predicted too much), R2."""
    found = errors(predicted, measured, rated_kw)
    off = predicted - measured
    spread = float(((measured - measured.mean()) ** 2).sum())
    return {
        "mae": float(found["absolute"].mean()),
        "rmse": float(np.sqrt((off**2).mean())),
        "mape": float(found["relative"].mean()),
        "bias": float(off.mean()),
        "r2": 1 - float((off**2).sum()) / spread if spread else float("nan"),
    }


def rolling(predicted: pd.Series[Any], measured: pd.Series[Any], rated_kw: float) -> pd.DataFrame:
    """Rolling `mae` (kW) and `mape` (percent) over the last WINDOW points, missing before ENOUGH of them are there."""
    found = errors(predicted, measured, rated_kw)
    return pd.DataFrame(
        {
            "mae": found["absolute"].rolling(WINDOW, min_periods=ENOUGH).mean(),
            "mape": found["relative"].rolling(WINDOW, min_periods=ENOUGH).mean(),
        }
    )


def thresholds(predicted: pd.Series[Any], measured: pd.Series[Any], rated_kw: float) -> dict[str, float]:
    """What the rolling `mae` and `mape` must not exceed, from a healthy part: MARGIN above its worst window.

    A part shorter than ENOUGH points has none: its means are taken then.
    """
    found, whole = rolling(predicted, measured, rated_kw), scores(predicted, measured, rated_kw)
    worst = {name: float(found[name].max()) for name in ("mae", "mape")}
    return {name: MARGIN * (whole[name] if np.isnan(value) else value) for name, value in worst.items()}


def binned_mean(wind: pd.Series[Any], power: pd.Series[Any], asked: pd.Series[Any]) -> pd.Series[Any]:
    """The simplest power curve, to beat: the mean power of each half m/s, where unknown that of the nearest."""
    means = power.groupby((wind * 2).round()).mean()
    known = means.index.to_numpy(dtype=np.float64)
    if not len(known):
        return pd.Series(np.nan, index=asked.index)
    found = np.interp((asked * 2).round(), known, means.to_numpy(dtype=np.float64))
    return pd.Series(found, index=asked.index)


@dataclass(frozen=True)
class Health:
    """What the newest predictions say about the turbine. A figure is None where too little is known."""

    scored: int
    mae: float | None
    mape: float | None
    mae_limit: float | None
    mape_limit: float | None
    # Measured over predicted energy of the last window, in percent: below 100 the turbine yields less than it did.
    produced: float | None

    @property
    def over(self) -> list[str]:
        """Which thresholds are exceeded: `MAE`, `MAPE`."""
        pairs = (("MAE", self.mae, self.mae_limit), ("MAPE", self.mape, self.mape_limit))
        return [name for name, value, limit in pairs if value is not None and limit is not None and value > limit]

    def sentence(self) -> str:
        """The state in one sentence."""
        if self.mae is None or self.mae_limit is None:
            return f"{self.scored} of {ENOUGH} points that a verdict needs."
        if not self.over:
            return "The turbine yields what the model expects of it."
        if self.produced is not None and self.produced < 100:
            return (
                f"Degraded: {' and '.join(self.over)} over the threshold; in the last {WINDOW_DAYS} days the turbine "
                f"yielded {100 - self.produced:.1f} % less than the model expects of it."
            )
        return (
            f"{' and '.join(self.over)} over the threshold, yet the turbine yields no less than expected: "
            "look at the sensors, or train again."
        )


def health(
    predictions: pd.DataFrame, rated_kw: float, mae_limit: float | None, mape_limit: float | None
) -> tuple[Health, pd.DataFrame]:
    """The verdict on `predictions` (columns predicted and measured, in order of time), and its rolling figures."""
    scored = predictions.dropna(subset=["predicted", "measured"])
    figures = rolling(scored["predicted"], scored["measured"], rated_kw)
    last = figures.iloc[-1] if len(figures) else pd.Series({"mae": np.nan, "mape": np.nan})
    window = scored.tail(WINDOW)
    expected = float(window["predicted"].sum())
    produced = 100 * float(window["measured"].sum()) / expected if len(window) >= ENOUGH and expected > 0 else None
    known = {name: None if np.isnan(last[name]) else float(last[name]) for name in ("mae", "mape")}
    return Health(len(scored), known["mae"], known["mape"], mae_limit, mape_limit, produced), figures
