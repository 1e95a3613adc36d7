"""The rolling figures, their thresholds, and that a turbine that gets worse is noticed while a healthy one is not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from windpower.clean import clean
from windpower.columns import POWER, TIME, WIND
from windpower.metrics import ENOUGH, WINDOW, binned_mean, errors, health, rolling, scores, thresholds
from windpower.split import parts
from windpower.turbine import Turbine, measurements

RATED = 2000.0


def test_scores() -> None:
    predicted, measured = pd.Series([100.0, 900.0, 1100.0]), pd.Series([50.0, 1000.0, 1000.0])
    found = scores(predicted, measured, RATED)
    assert found["mae"] == pytest.approx(250 / 3)
    assert found["bias"] == pytest.approx(50 / 3)
    assert found["mape"] == pytest.approx(10), "50 kW are below the floor, where a relative error says nothing"
    assert errors(predicted, measured, RATED)["relative"].isna().tolist() == [True, False, False]


def test_rolling_says_nothing_before_enough_points() -> None:
    points = pd.Series(np.full(WINDOW + 20, 500.0))
    found = rolling(points + 10, points, RATED)
    assert found["mae"].isna().sum() == ENOUGH - 1
    assert found["mae"].dropna().eq(10).all() and found["mape"].dropna().eq(2).all()


def test_rolling_forgets_after_a_day() -> None:
    measured = pd.Series(np.full(3 * WINDOW, 500.0))
    predicted = measured.copy()
    predicted.iloc[WINDOW] += WINDOW
    found = rolling(predicted, measured, RATED)["mae"]
    assert found.iloc[WINDOW : 2 * WINDOW].eq(1).all()
    assert found.iloc[2 * WINDOW] == pytest.approx(0)


def test_a_short_part_has_thresholds_too() -> None:
    assert thresholds(pd.Series([110.0, 520.0]), pd.Series([100.0, 500.0]), RATED) == {"mae": 18.75, "mape": 5.0}


def test_the_verdict_of_too_few_points_is_none() -> None:
    empty = pd.DataFrame({"predicted": [], "measured": []}, dtype="float64")
    found, figures = health(empty, RATED, 10.0, 5.0)
    assert (found.scored, found.mae, found.produced, found.over, len(figures)) == (0, None, None, [], 0)
    assert found.sentence() == f"0 of {ENOUGH} points that a verdict needs."


def test_points_that_cannot_be_compared_are_left_out() -> None:
    points = pd.DataFrame({"predicted": [500.0] * 200, "measured": [500.0, np.nan] * 100})
    found, _ = health(points, RATED, 10.0, 5.0)
    assert (found.scored, found.mae) == (100, 0.0)


def test_a_model_that_predicts_too_little_is_not_called_a_degraded_turbine() -> None:
    points = pd.DataFrame({"predicted": [500.0] * 200, "measured": [700.0] * 200})
    found, _ = health(points, RATED, 50.0, 5.0)
    assert found.over == ["MAE", "MAPE"]
    assert "Degraded" not in found.sentence() and "look at the sensors" in found.sentence()


def _judged(loss: float) -> tuple[list[str], str, float]:
    """What the live figures say of a turbine that loses this share in 30 days, by the simplest of models."""
    turbine = Turbine(seed=11, loss_per_30_days=loss, loss_from="2024-03-20T00:00")
    cleaned, _ = clean(measurements(turbine, "2024-01-01T00:00", 13_000)[0], RATED)
    part = {name: cleaned[mask] for name, mask in parts(cleaned[TIME]).items()}
    train, test, live = part["train"], part["test"], part["held_out"]
    limits = thresholds(binned_mean(train[WIND], train[POWER], test[WIND]), test[POWER], RATED)
    predicted = binned_mean(train[WIND], train[POWER], live[WIND])
    found, _ = health(
        pd.DataFrame({"predicted": predicted, "measured": live[POWER]}), RATED, limits["mae"], limits["mape"]
    )
    assert found.produced is not None
    return found.over, found.sentence(), found.produced


def test_a_degrading_turbine_is_noticed_and_a_healthy_one_is_not() -> None:
    over, sentence, produced = _judged(0.0)
    assert over == [] and sentence == "The turbine yields what the model expects of it."
    assert 95 < produced < 105
    over, sentence, produced = _judged(0.4)
    assert over and sentence.startswith("Degraded: ")
    assert produced < 92
