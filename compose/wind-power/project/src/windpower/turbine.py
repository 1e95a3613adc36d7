"""A made-up turbine: its wind, its power curve, its seasons, its faults and its slow decline. Pure and seeded.

No number here comes from a real turbine. The same seed gives the same weather and the same faults, and any part of the
time can be made without the part before: the weather of a day depends on the seed and the day alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from windpower.columns import COLUMNS, POINTS_A_DAY, STEP_MINUTES, TIME

Floats = npt.NDArray[np.float64]

CUT_IN, FULL, CUT_OUT = 3.0, 12.0, 25.0
# Air at 10 degrees Celsius is what the curve is for; cold air is denser.
CURVE_KELVIN = 283.15
EPOCH = np.datetime64("2020-01-01T00:00", "m")


@dataclass(frozen=True)
class Turbine:
    """What is planted. `loss_per_30_days` is the share of power lost every 30 days from `loss_from` on, 0 for none."""

    seed: int = 42
    rated_kw: float = 2000.0
    loss_per_30_days: float = 0.0
    loss_from: str = "2100-01-01T00:00"
    faults: float = 1.0

    def loss(self, times: npt.NDArray[np.datetime64]) -> Floats:
        """The share of power lost at these times, at most 0.6."""
        days = (times - np.datetime64(self.loss_from, "m")) / np.timedelta64(1, "D")
        return np.asarray(np.clip(days / 30.0 * self.loss_per_30_days, 0.0, 0.6), dtype=np.float64)


def power_curve(wind: Floats, rated_kw: float) -> Floats:
    """The planted curve in kW: none below CUT_IN m/s, with the cube of the wind up to FULL, rated up to CUT_OUT."""
    rising = rated_kw * (wind**3 - CUT_IN**3) / (FULL**3 - CUT_IN**3)
    return np.where((wind < CUT_IN) | (wind > CUT_OUT), 0.0, np.minimum(rising, rated_kw))


def _noise(seed: int, points: npt.NDArray[np.int64], name: int) -> Floats:
    """Standard normal noise of each point, the same for a point whatever its neighbours."""
    first = int(points[0]) // POINTS_A_DAY
    days = range(first, int(points[-1]) // POINTS_A_DAY + 1)
    # A seed is never negative, days before EPOCH are.
    made = [np.random.default_rng([seed, name, day % 2**32]).standard_normal(POINTS_A_DAY) for day in days]
    return np.concatenate(made)[points - first * POINTS_A_DAY]


def _slow(seed: int, points: npt.NDArray[np.int64], name: int, hours: float) -> Floats:
    """Noise that changes within about `hours`, standard deviation 1: a moving weighted mean of each point's noise."""
    reach = max(2, round(3 * hours * 60 / STEP_MINUTES))
    wide = np.arange(points[0] - reach, points[-1] + 1)
    weights = np.exp(-np.arange(reach + 1) / (reach / 3))
    mixed = np.convolve(_noise(seed, wide, name), weights / np.sqrt((weights**2).sum()))[reach : reach + len(points)]
    return np.asarray(mixed, dtype=np.float64)


def measurements(turbine: Turbine, start: str, points: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """`points` rows of SCADA data from `start` on, without faults, and what is true beside them.

    The second table has `wind` (m/s, what reaches the rotor), `curve` (kW, of a healthy turbine) and `loss` (share).
    """
    first = int((np.datetime64(start, "m") - EPOCH) / np.timedelta64(STEP_MINUTES, "m"))
    number = np.arange(first - 1, first + points)  # one before, since the rotor is slower than the wind
    times = EPOCH + number * np.timedelta64(STEP_MINUTES, "m")
    day = number / POINTS_A_DAY
    season, hour = np.cos(2 * np.pi * (day - 15) / 365.25), np.cos(2 * np.pi * (day % 1 - 0.6))
    weather = 0.85 * _slow(turbine.seed, number, 1, 18) + 0.53 * _slow(turbine.seed, number, 2, 2)
    wind = (7.0 + 0.8 * season + 0.4 * hour) * np.exp(0.34 * weather - 0.06)
    temperature = 9 - 9 * season + 4 * hour + 2.5 * _slow(turbine.seed, number, 3, 30)
    direction = (240 + 70 * _slow(turbine.seed, number, 4, 24) + 5 * _noise(turbine.seed, number, 5)) % 360
    yaw = 6 * _slow(turbine.seed, number, 6, 1)

    density = CURVE_KELVIN / (273.15 + temperature)
    felt = wind * np.cbrt(density) * np.cos(np.deg2rad(yaw))
    felt[1:] = 0.75 * felt[1:] + 0.25 * felt[:-1]
    loss = turbine.loss(times)
    curve = power_curve(felt, turbine.rated_kw)
    rated = turbine.rated_kw
    power = curve * (1 - loss) * (1 + 0.02 * _noise(turbine.seed, number, 7)) + 4 * _noise(turbine.seed, number, 8)
    power = np.where(curve <= 0, -12 + 3 * _noise(turbine.seed, number, 9), power)
    share = np.clip(curve / rated, 0, 1)
    rotor = np.where(curve > 0, 8 + 9 * share, 0.4)
    warm = share * (1 - loss)
    pitch = np.where(curve <= 0, 85.0, np.clip(2.2 * (felt - FULL), 0, 25))
    noise = {name: _noise(turbine.seed, number, 20 + place) for place, name in enumerate(COLUMNS[1:])}
    table = pd.DataFrame(
        {
            TIME: times,
            "WindSpeed": np.clip(wind + 0.12 * noise["WindSpeed"], 0.05, None),
            "WindDirAbs": direction,
            "WindDirRel": yaw + 0.5 * noise["WindDirRel"],
            "Power": power,
            "Pitch": pitch + 0.1 * noise["Pitch"],
            "GenRPM": rotor * 100 + 3 * noise["GenRPM"],
            "RotorRPM": np.clip(rotor + 0.05 * noise["RotorRPM"], 0, None),
            "EnvirTemp": temperature + 0.2 * noise["EnvirTemp"],
            "NacelTemp": temperature + 12 + 6 * warm + 0.4 * noise["NacelTemp"],
            "GearOilTemp": 42 + 16 * warm + 0.15 * temperature + 0.5 * noise["GearOilTemp"],
            "GearBearTemp": 46 + 22 * warm + 0.15 * temperature + 0.5 * noise["GearBearTemp"],
            "GenPh1Temp": 48 + 50 * warm + 0.2 * temperature + noise["GenPh1Temp"],
            "GenBearTemp": 40 + 20 * warm + 0.2 * temperature + 0.5 * noise["GenBearTemp"],
        }
    )
    table = table.round({name: 2 for name in COLUMNS[1:]})
    truth = pd.DataFrame({TIME: times, "wind": felt, "curve": curve, "loss": loss})
    return table.iloc[1:].reset_index(drop=True), truth.iloc[1:].reset_index(drop=True)


# Share of the points that each fault strikes, at `faults` 1; a gap or a stop strikes several points in a row.
FAULTS = {
    "wind_below_0": 0.002,
    "direction_above_360": 0.002,
    "power_impossible": 0.001,
    "jump": 0.002,
    "stuck": 0.0005,
    "gap": 0.0005,
    "doubled": 0.002,
    "stopped": 0.0004,
}
RUN = {"stuck": 8, "gap": 9, "stopped": 12}


def with_faults(table: pd.DataFrame, turbine: Turbine) -> tuple[pd.DataFrame, dict[str, int]]:
    """The table with the sensors' and the recording's faults planted, and how many rows each fault struck.

    Faults strike days apart from their neighbours, so that each can be counted again; a gap's rows are gone and a
    doubled row is there twice.
    """
    table = table.copy()
    rng = np.random.default_rng([turbine.seed, 99, int(table[TIME].iloc[0].timestamp()) // 60])
    free = np.ones(len(table), dtype=bool)
    free[:20] = free[-20:] = False
    planted: dict[str, int] = {}
    gone: list[int] = []
    again: list[int] = []
    for fault, share in FAULTS.items():
        run = RUN.get(fault, 1)
        wanted = round(share * turbine.faults * len(table))
        struck = 0
        for at in rng.permutation(len(table) - 40)[: 60 * wanted] + 20:
            rows = np.arange(at, at + run)
            if struck == wanted or not free[max(0, at - 3) : at + run + 3].all():
                continue
            if _strike(table, fault, rows, turbine, rng):
                free[rows] = False
                struck += 1
                gone += rows.tolist() if fault == "gap" else []
                again += rows.tolist() if fault == "doubled" else []
        planted[fault] = struck * run
    keep = np.setdiff1d(np.arange(len(table)), gone)
    return table.iloc[np.sort(np.concatenate([keep, np.array(again, dtype=np.int64)]))].reset_index(drop=True), planted


def _strike(
    table: pd.DataFrame, fault: str, rows: npt.NDArray[np.int64], turbine: Turbine, rng: np.random.Generator
) -> bool:
    """Plants one fault at these rows; False where it would not be one (a jump that is no jump, a stop without wind)."""
    values: Any = table.loc[rows, "WindSpeed"]
    if fault == "wind_below_0":
        table.loc[rows, "WindSpeed"] = -rng.uniform(0.5, 20)
    elif fault == "direction_above_360":
        table.loc[rows, "WindDirAbs"] = rng.uniform(361, 900)
    elif fault == "power_impossible":
        table.loc[rows, "Power"] = turbine.rated_kw * rng.choice([-2.0, 3.0, 40.0])
    elif fault == "jump":
        table.loc[rows, "WindSpeed"] = values + 20.0
    elif fault == "stuck":
        table.loc[rows, "WindSpeed"] = values.iloc[0]
    elif fault == "stopped":
        if not values.between(7.0, 19.0).all():
            return False
        table.loc[rows, "Power"] = -10.0
    return True
