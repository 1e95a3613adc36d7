"""Validation: a bad data set stops the run before anything is trained on it."""

from typing import Final

import pandas as pd
from pandas.api.types import is_numeric_dtype

from breastcancer.columns import FEATURES, NAMES, TARGET

FEWEST: Final = 200  # samples
RAREST: Final = 0.1  # share of either class


def problems(frame: pd.DataFrame) -> list[str]:
    """All that is wrong with a set, with its columns and counts; empty if nothing is."""
    wanted = (*NAMES, TARGET)
    found = [f"column {name} is missing" for name in wanted if name not in frame]
    found += [f"column {name} is not known" for name in frame if name not in wanted]
    words = [name for name in wanted if name in frame and not is_numeric_dtype(frame[name])]
    found += [f"column {name} holds {frame[name].dtype}, not numbers" for name in words]
    if len(frame) < FEWEST:
        found.append(f"{len(frame)} samples are too few: at least {FEWEST}")
    numbers = [name for name in wanted if name in frame and name not in words]
    for name in numbers:
        if missing := int(frame[name].isna().sum()):
            found.append(f"column {name} has no value in {missing} of {len(frame)} samples")
    for feature in FEATURES:
        if feature.name in numbers:
            values = frame[feature.name].dropna()
            outside = values[~values.between(feature.low, feature.high)]
            if len(outside):
                found.append(
                    f"column {feature.name} is outside {feature.low:g} to {feature.high:g} in {len(outside)} samples,"
                    f" as {outside.iloc[0]:g}"
                )
    if TARGET in numbers:
        found += _labels(frame[TARGET])
    return found


def _labels(labels: pd.Series) -> list[str]:
    strange = labels[~labels.isin([0, 1])].dropna()
    if len(strange):
        return [f"column {TARGET} is neither 0 nor 1 in {len(strange)} samples, as {strange.iloc[0]:g}"]
    share = labels.mean()
    if len(labels) and not RAREST <= share <= 1 - RAREST:
        return [f"column {TARGET} is 1 in {share:.0%} of the samples: either class needs at least {RAREST:.0%}"]
    return []
