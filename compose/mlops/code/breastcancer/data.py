"""The data: the Wisconsin diagnostic breast cancer set, 569 real samples, which ships with scikit-learn."""

import hashlib
import os
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pandas as pd

from breastcancer.columns import NAMES, TARGET


def _missing(frame: pd.DataFrame) -> None:
    frame.loc[::50, "texture"] = float("nan")


def _range(frame: pd.DataFrame) -> None:
    frame.loc[::100, "area"] *= -1


def _schema(frame: pd.DataFrame) -> None:
    frame.rename(columns={"radius": "diameter"}, inplace=True)


def _labels(frame: pd.DataFrame) -> None:
    frame[TARGET] = 0


SPOILS: Final[dict[str, Callable[[pd.DataFrame], None]]] = {
    "missing": _missing,
    "range": _range,
    "schema": _schema,
    "labels": _labels,
}
"""Faults to plant, so that one can see the validation stop a run."""


def load(spoil: str | None = None) -> pd.DataFrame:
    """All samples with the columns NAMES and TARGET; with a fault in them if `spoil` names one of SPOILS."""
    from sklearn.datasets import load_breast_cancer

    raw = load_breast_cancer(as_frame=True).frame
    # The first ten of its thirty columns are the means; its target is 1 for benign.
    frame = raw[[f"mean {name.replace('_', ' ')}" for name in NAMES]].set_axis(NAMES, axis="columns")
    frame[TARGET] = 1 - raw["target"]
    if spoil is not None:
        SPOILS[spoil](frame)
    return frame


def write(frame: pd.DataFrame, folder: Path) -> Path:
    """Writes a set whole into a file that is named by what is in it; the same set again changes nothing."""
    text = frame.to_csv(index=False)
    path = folder / f"samples-{hashlib.sha256(text.encode()).hexdigest()[:12]}.csv"
    if not path.exists():
        half = path.with_suffix(f".{os.getpid()}.part")
        half.write_text(text)
        half.replace(path)
    return path


def read(path: Path) -> pd.DataFrame:
    """What `write` wrote, to the last bit."""
    return pd.read_csv(path, float_precision="round_trip")


def split(frame: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The part to train on and the quarter held out for evaluation.

    What a sample holds decides, so it is in the same part in every run, also when others are added: a champion is
    never evaluated on what it was trained on.
    """
    held_out = frame[list(NAMES)].apply(lambda row: zlib.crc32(repr(row.tolist()).encode()) % 4 == 0, axis="columns")
    return frame[~held_out], frame[held_out]
