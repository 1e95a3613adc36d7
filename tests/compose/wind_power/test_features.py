"""Features never look ahead, and are the same from a file and from a stream."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from windpower.clean import clean
from windpower.columns import TIME, VALUES, WIND
from windpower.features import FEATURES, HISTORY_POINTS, make_features, without_jumps
from windpower.turbine import Turbine, measurements, with_faults

RATED = 2000.0


def _raw(points: int = 1_500) -> pd.DataFrame:
    turbine = Turbine(seed=3, faults=8)
    return with_faults(measurements(turbine, "2024-05-01T00:00", points)[0], turbine)[0]


def _features(raw: pd.DataFrame) -> pd.DataFrame:
    return make_features(clean(raw, RATED)[0])


@pytest.mark.parametrize("now", [40, 333, 700, 1_199])
def test_changing_the_future_changes_no_past_feature(now: int) -> None:
    raw = _raw()
    moment = raw[TIME].iloc[now]
    changed = raw.copy()
    later = changed[TIME] > moment
    rng = np.random.default_rng(1)
    for name in VALUES:
        changed.loc[later, name] = rng.uniform(-50, 900, int(later.sum()))
    past, past_changed = (table[table[TIME] <= moment] for table in (_features(raw), _features(changed)))
    assert len(past) > now - 50
    pd.testing.assert_frame_equal(past, past_changed)
    # And with the future taken away altogether.
    pd.testing.assert_frame_equal(past, _features(raw[~later]))


def test_a_stream_s_short_history_gives_the_features_of_the_whole_file() -> None:
    raw = _raw()
    whole = _features(raw).set_index(TIME)
    for moment in raw[TIME].drop_duplicates().iloc[HISTORY_POINTS::7]:
        start = moment - pd.Timedelta(minutes=10 * HISTORY_POINTS)
        streamed = _features(raw[(raw[TIME] >= start) & (raw[TIME] <= moment)]).set_index(TIME)
        pd.testing.assert_series_equal(streamed.loc[moment], whole.loc[moment], rtol=1e-6, atol=1e-6)


def test_a_lag_is_ten_minutes_whatever_is_missing() -> None:
    table = clean(measurements(Turbine(), "2024-01-01T00:00", 60)[0], RATED)[0]
    gone = table.drop(index=[30, 31, 32, 33])
    made = make_features(gone).set_index(TIME)
    after = table[TIME].iloc[34]
    assert np.isnan(made.loc[after, "wind_lag_1"]), "the value before a gap is not taken for that of ten minutes ago"
    assert np.isnan(made.loc[after, "wind_lag_2"])
    assert made.loc[after, "wind_lag_3"] == table[WIND].iloc[29], "filled over two points at most"
    assert made.loc[after, "wind_lag_6"] == table[WIND].iloc[28]


def test_a_jump_is_replaced_by_what_was_before() -> None:
    values = pd.Series([8.0, 8.2, 8.1, 28.3, 8.3, np.nan, 8.2])
    made = without_jumps(values)
    assert made[3] == pytest.approx(8.15), "the median of the four so far"
    assert made.drop(3).equals(values.drop(3))


def test_power_and_what_follows_it_are_not_features() -> None:
    raw = _raw()
    other = raw.copy()
    for name in (
        "Power",
        "GenRPM",
        "RotorRPM",
        "NacelTemp",
        "GearOilTemp",
        "GearBearTemp",
        "GenPh1Temp",
        "GenBearTemp",
    ):
        other[name] = 1.0
    pd.testing.assert_frame_equal(_features(raw), _features(other))
    assert len(set(FEATURES)) == len(FEATURES)
