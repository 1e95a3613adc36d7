"""Where things are: settings from the environment, so that the same code runs in containers and as processes."""

from __future__ import annotations

import os
from pathlib import Path

# The model's name in MLflow's registry, and the experiment of the training runs.
MODEL = "wind-power"
EXPERIMENT = "wind-power"
CHAMPION = "champion"


class BadSetting(Exception):
    """A setting cannot be used; the message says which, and what it must be."""


def _folder(name: str, default: str) -> Path:
    return Path(os.environ.get(name) or default)


def raw_folder() -> Path:
    """The folder of SCADA files."""
    return _folder("DATA_DIR", "/data") / "raw"


def results_folder() -> Path:
    """The folder for reports and for what one step leaves to the next."""
    return _folder("RESULTS_DIR", "/results")


def database_file() -> Path:
    """The SQLite database that the stream, inference and the page share."""
    return _folder("DATABASE_DIR", "/database") / "wind-power.db"


def number(name: str, default: float, low: float, high: float) -> float:
    """A number from the environment. Raises BadSetting where it is none or out of its limits."""
    text = os.environ.get(name) or str(default)
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not low <= value <= high:
        raise BadSetting(f"{name}={text}: expected a number from {low:g} to {high:g}.")
    return value


def rated_kw() -> float:
    """The turbine's rated power in kW."""
    return number("RATED_POWER_KW", 2000, 1, 100_000)


def trials() -> int:
    """How many sets of options a training tries."""
    return int(number("TRIALS", 4, 1, 1000))


def host() -> str:
    """The address that the page listens on."""
    return os.environ.get("HOST") or "127.0.0.1"
