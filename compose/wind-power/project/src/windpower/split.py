"""Which part of the time is for what: always the older for learning, the newer for judging. Pure."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

# The newest part of the data is never trained nor tested on: the stream replays it.
HELD_OUT = 0.15
# The part before it is for the test that decides between challenger and champion.
TEST = 0.15


def from_time(times: pd.Series[Any], share: float) -> pd.Timestamp:
    """The time from which on the newest `share` of the rows lies; `times` are sorted."""
    return pd.Timestamp(times.iloc[min(len(times) - 1, int(len(times) * (1 - share)))])


def parts(times: pd.Series[Any]) -> dict[str, npt.NDArray[np.bool_]]:
    """`train`, `test` and `held_out` as masks over sorted times."""
    test, held_out = from_time(times, HELD_OUT + TEST), from_time(times, HELD_OUT)
    values = times.to_numpy()
    return {
        "train": values < test.to_datetime64(),
        "test": (values >= test.to_datetime64()) & (values < held_out.to_datetime64()),
        "held_out": values >= held_out.to_datetime64(),
    }


def folds(rows: int, count: int) -> list[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]]:
    """`count` folds over rows in order of time: each learns from all rows before those that it is judged on."""
    edges = np.linspace(0, rows, count + 2).astype(np.int64)[1:]
    return [(np.arange(start), np.arange(start, end)) for start, end in itertools.pairwise(edges)]
