"""The world of the sample: carriers, airports, and the effects planted on the log-odds of a late arrival."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
Integers = NDArray[np.int64]

# code, DOT id, share of flights, effect
_CARRIERS: Final = (
    ("AA", 19805, 14, 0.15),
    ("DL", 19790, 15, -0.60),
    ("UA", 19977, 11, 0.05),
    ("WN", 19393, 18, 0.20),
    ("B6", 20409, 5, 0.60),
    ("AS", 19930, 4, -0.25),
    ("NK", 20416, 4, 0.65),
    ("F9", 20436, 3, 0.70),
    ("HA", 19690, 2, -0.70),
    ("OO", 20304, 10, -0.10),
    ("YX", 20452, 5, -0.35),
    ("MQ", 20398, 4, 0.10),
    ("9E", 20363, 3, -0.45),
    ("OH", 20397, 3, 0.30),
)

# code, DOT id, latitude, longitude, hours from UTC, share of flights, effect, climate (chance of a bad day, %)
_AIRPORTS: Final = (
    ("ATL", 10397, 33.64, -84.43, -5, 56, -0.20, 7),
    ("ORD", 13930, 41.98, -87.90, -6, 44, 0.45, 12),
    ("DFW", 11298, 32.90, -97.04, -6, 44, 0.20, 9),
    ("DEN", 11292, 39.86, -104.67, -7, 42, 0.15, 10),
    ("CLT", 11057, 35.21, -80.94, -5, 34, 0.05, 7),
    ("LAX", 12892, 33.94, -118.41, -8, 30, -0.05, 4),
    ("LAS", 12889, 36.08, -115.15, -8, 27, 0.00, 4),
    ("PHX", 14107, 33.43, -112.01, -7, 27, -0.25, 4),
    ("SEA", 14747, 47.45, -122.31, -8, 26, -0.15, 8),
    ("MCO", 13204, 28.43, -81.31, -5, 25, 0.35, 10),
    ("EWR", 11618, 40.69, -74.17, -5, 22, 0.60, 13),
    ("LGA", 12953, 40.78, -73.87, -5, 24, 0.50, 13),
    ("DCA", 11278, 38.85, -77.04, -5, 22, 0.00, 9),
    ("JFK", 12478, 40.64, -73.78, -5, 19, 0.40, 12),
    ("BOS", 10721, 42.36, -71.01, -5, 21, 0.25, 12),
    ("MIA", 13303, 25.79, -80.29, -5, 18, 0.30, 9),
    ("FLL", 11697, 26.07, -80.15, -5, 17, 0.35, 9),
    ("IAH", 12266, 29.98, -95.34, -6, 21, 0.00, 9),
    ("SFO", 14771, 37.62, -122.38, -8, 20, 0.50, 12),
    ("MSP", 13487, 44.88, -93.22, -6, 19, -0.30, 10),
    ("DTW", 11433, 42.21, -83.35, -5, 19, -0.25, 10),
    ("PHL", 14100, 39.87, -75.24, -5, 17, 0.10, 11),
    ("BWI", 10821, 39.18, -76.67, -5, 16, 0.05, 9),
    ("SLC", 14869, 40.79, -111.98, -7, 17, -0.45, 7),
    ("SAN", 14679, 32.73, -117.19, -8, 15, -0.15, 4),
    ("IAD", 12264, 38.94, -77.46, -5, 12, 0.00, 9),
    ("MDW", 13232, 41.79, -87.75, -6, 12, 0.20, 12),
    ("TPA", 15304, 27.98, -82.53, -5, 13, 0.10, 9),
    ("BNA", 10693, 36.12, -86.68, -6, 15, -0.05, 8),
    ("AUS", 10423, 30.19, -97.67, -6, 13, -0.10, 7),
    ("PDX", 14057, 45.59, -122.60, -8, 9, -0.30, 7),
    ("HNL", 12173, 21.32, -157.92, -10, 9, -0.50, 4),
    ("STL", 15016, 38.75, -90.37, -6, 10, -0.15, 9),
    ("DAL", 11259, 32.85, -96.85, -6, 12, 0.10, 9),
    ("MSY", 13495, 29.99, -90.26, -6, 9, -0.10, 8),
    ("RDU", 14492, 35.88, -78.79, -5, 10, -0.10, 8),
    ("SJC", 14831, 37.36, -121.93, -8, 8, -0.20, 5),
    ("SNA", 14908, 33.68, -117.87, -8, 8, -0.15, 5),
    ("OAK", 13796, 37.72, -122.22, -8, 8, -0.10, 6),
    ("SMF", 14893, 38.70, -121.59, -8, 9, -0.35, 5),
)

CARRIER_CODES: Final = tuple(c[0] for c in _CARRIERS)
CARRIER_IDS: Final = np.array([c[1] for c in _CARRIERS])
CARRIER_SHARE: Final = np.array([c[2] for c in _CARRIERS]) / sum(c[2] for c in _CARRIERS)
CARRIER_EFFECT: Final = np.array([c[3] for c in _CARRIERS])

AIRPORT_CODES: Final = tuple(a[0] for a in _AIRPORTS)
AIRPORT_IDS: Final = np.array([a[1] for a in _AIRPORTS])
ZONE: Final = np.array([a[4] for a in _AIRPORTS])
AIRPORT_SHARE: Final = np.array([a[5] for a in _AIRPORTS]) / sum(a[5] for a in _AIRPORTS)
AIRPORT_EFFECT: Final = np.array([a[6] for a in _AIRPORTS])
CLIMATE: Final = np.array([a[7] for a in _AIRPORTS]) / 100

BASE: Final = -2.55
DEST_EFFECT: Final = 0.5
WEATHER_ORIGIN: Final = 1.6
WEATHER_DEST: Final = 1.2
WEEKDAY_EFFECT: Final = np.array([0.0, -0.2, 0.0, 0.15, 0.15, -0.2, 0.15])  # Monday first
_HOURS: Final = (5, 8, 12, 16, 19, 23, 24)
_HOUR_EFFECTS: Final = (-1.1, -0.6, -0.1, 0.45, 0.8, 0.3, 0.2)


def _miles() -> Numbers:
    """Great-circle miles between all airports (haversine)."""
    lat, lon = (np.radians([a[i] for a in _AIRPORTS]) for i in (2, 3))
    half = (
        np.sin((lat[:, None] - lat) / 2) ** 2
        + np.cos(lat[:, None]) * np.cos(lat) * np.sin((lon[:, None] - lon) / 2) ** 2
    )
    return np.asarray(np.round(2 * 3958.8 * np.arcsin(np.sqrt(half))))


MILES: Final = _miles()


def hour_effect(minutes: Numbers) -> Numbers:
    """The planted effect of the scheduled departure, given in minutes after midnight."""
    return np.asarray(np.interp(minutes / 60, _HOURS, _HOUR_EFFECTS))


def season_effect(day_of_year: int) -> float:
    """Summer, peak at day 196; winter holidays, peak at day 358 and over New Year."""
    summer = 0.35 * np.exp(-(((day_of_year - 196) / 30) ** 2))
    holidays = sum(0.45 * np.exp(-(((day_of_year - peak) / 9) ** 2)) for peak in (358, -7))
    return float(summer + holidays)


def bad_weather_chance(day_of_year: int) -> Numbers:
    """The chance of a bad day per airport: up by a third in January and July."""
    return np.asarray(CLIMATE * (1 + 0.33 * np.cos((day_of_year - 15) / 365 * 4 * np.pi)))
