"""The columns of a turbine's SCADA data and what each can be.

One row is the mean of ten minutes. Speeds in m/s, directions in degrees, power in kW, temperatures in degrees Celsius.
"""

from __future__ import annotations

TIME = "Timestamps"
WIND = "WindSpeed"
POWER = "Power"

# What is possible, both ends included; outside of it a value is a fault of the sensor or of the recording.
# Power's limits are shares of the rated power: a turbine that stands still takes some from the grid.
LIMITS: dict[str, tuple[float, float]] = {
    WIND: (0.0, 60.0),
    "WindDirAbs": (0.0, 360.0),
    "WindDirRel": (-180.0, 360.0),
    POWER: (-0.05, 1.15),
    "Pitch": (-10.0, 100.0),
    "GenRPM": (-10.0, 2500.0),
    "RotorRPM": (-1.0, 40.0),
    "EnvirTemp": (-50.0, 60.0),
    "NacelTemp": (-50.0, 100.0),
    "GearOilTemp": (-50.0, 150.0),
    "GearBearTemp": (-50.0, 200.0),
    "GenPh1Temp": (-50.0, 250.0),
    "GenBearTemp": (-50.0, 200.0),
}
VALUES: tuple[str, ...] = tuple(LIMITS)
COLUMNS: tuple[str, ...] = (TIME, *VALUES)
# Without these nothing can be learnt; the others may be missing.
NEEDED: tuple[str, ...] = (TIME, WIND, POWER)

STEP_MINUTES = 10
POINTS_A_DAY = 24 * 60 // STEP_MINUTES
