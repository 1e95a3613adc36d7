"""What the generator plants can be found again, and the same seed plants the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from windpower import generate
from windpower.columns import COLUMNS, POWER, TIME, WIND
from windpower.files import manifest
from windpower.split import HELD_OUT, folds, from_time, parts
from windpower.turbine import CUT_OUT, Turbine, measurements, power_curve, with_faults


def test_the_power_curve() -> None:
    powers = power_curve(np.array([0.0, 2.9, 8.0, 12.0, 20.0, 25.5]), 2000.0)
    assert powers[[0, 1, 5]].tolist() == [0, 0, 0]
    assert powers[[3, 4]].tolist() == [2000, 2000]
    assert 400 < powers[2] < 1000


def test_measured_power_follows_the_planted_curve() -> None:
    table, truth = measurements(Turbine(seed=9), "2024-01-01T00:00", 5_000)
    assert list(table.columns) == list(COLUMNS)
    assert (table[POWER] - truth["curve"]).abs().mean() < 25
    assert 5 < table[WIND].mean() < 9 and table[WIND].max() < 40
    cold, hot = (
        measurements(Turbine(), "2024-01-10T00:00", 2_000)[0],
        measurements(Turbine(), "2024-07-10T00:00", 2_000)[0],
    )
    assert cold["EnvirTemp"].mean() + 10 < hot["EnvirTemp"].mean(), "there are seasons"
    assert cold[WIND].mean() > hot[WIND].mean()


def test_the_same_seed_makes_the_same_and_any_part_of_it_alone() -> None:
    turbine = Turbine(seed=4, loss_per_30_days=0.2, loss_from="2024-01-05T00:00")
    whole, part = measurements(turbine, "2024-01-01T00:00", 1_500)[0], measurements(turbine, "2024-01-06T00:00", 300)[0]
    inside = whole[whole[TIME].isin(part[TIME])].reset_index(drop=True)
    pd.testing.assert_frame_equal(inside, part, rtol=0, atol=0.02)
    assert with_faults(whole, turbine)[0].equals(with_faults(whole, turbine)[0])
    assert not whole.equals(measurements(Turbine(seed=5), "2024-01-01T00:00", 1_500)[0])


def test_the_loss_grows_from_its_start_on() -> None:
    turbine = Turbine(loss_per_30_days=0.3, loss_from="2024-02-01T00:00")
    table, truth = measurements(turbine, "2024-01-20T00:00", 6_000)
    assert (truth.loc[truth[TIME] <= "2024-02-01", "loss"] == 0).all()
    assert truth["loss"].iloc[-1] == pytest.approx(
        0.3 * (truth[TIME].iloc[-1] - pd.Timestamp("2024-02-01")).days / 30, abs=0.02
    )
    working = truth["curve"] > 300
    share = (table[POWER] / truth["curve"])[working & (truth[TIME] > "2024-02-25")]
    assert share.mean() == pytest.approx(1 - truth.loc[share.index, "loss"].mean(), abs=0.02)
    healthy = measurements(Turbine(), "2024-01-20T00:00", 6_000)[0]
    assert healthy[WIND].equals(table[WIND]), "the same weather"
    assert Turbine().loss(truth[TIME].to_numpy()).max() == 0


def test_faults_strike_where_they_can_be_seen() -> None:
    table, _ = measurements(Turbine(), "2024-01-01T00:00", 4_000)
    struck, planted = with_faults(table, Turbine(faults=3))
    assert min(planted.values()) > 0
    assert (struck[WIND] < 0).sum() == planted["wind_below_0"]
    assert (struck["WindDirAbs"] > 360).sum() == planted["direction_above_360"]
    assert struck.duplicated(TIME).sum() == planted["doubled"]
    assert with_faults(table, Turbine(faults=0))[0].equals(table)
    assert table[WIND].max() < CUT_OUT + 15


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--rows", "1000", "--output", str(tmp_path)]
    assert generate.main(options) == 0
    made = manifest(tmp_path)
    assert made is not None and made["points"] == 1000
    assert made["turbine"]["loss_from"] == "2024-01-09T21:40", "three days after the part begins that is streamed"
    assert generate.main(options) == 2
    assert "Give --replace" in capsys.readouterr().err
    assert generate.main([*options, "--replace", "--format", "csv", "--loss", "0"]) == 0
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["_generated.json", "scada.csv"]
    for wrong in (["--rows", "10"], ["--seed", "x"], ["--loss", "101"], ["--faults", "-1"], ["--start", "soon"]):
        with pytest.raises(SystemExit):
            generate.main(wrong)
    (tmp_path / "file").write_text("")
    assert generate.main(["--rows", "1000", "--output", str(tmp_path / "file" / "below")]) == 1


def test_the_parts_are_in_order_of_time_and_apart() -> None:
    times = pd.Series(pd.date_range("2024-01-01", periods=1_000, freq="10min"))
    found = parts(times)
    assert [int(found[name].sum()) for name in ("train", "test", "held_out")] == [700, 150, 150]
    assert times[found["train"]].max() < times[found["test"]].min()
    assert times[found["test"]].max() < times[found["held_out"]].min() == from_time(times, HELD_OUT)
    assert (np.sum(list(found.values()), axis=0) == 1).all()


def test_folds_learn_from_the_past_only() -> None:
    made = folds(1_000, 3)
    assert len(made) == 3
    for seen, judged in made:
        assert seen.max() < judged.min()
        assert seen.min() == 0
    assert made[-1][1].max() == 999
