"""Features to the registry's champion: trials over folds in order of time, a test at the end, a comparison."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from kedro.pipeline import Pipeline, node

from windpower import registry
from windpower.clean import UnusableData
from windpower.columns import POWER, TIME, WIND
from windpower.features import FEATURES
from windpower.metrics import binned_mean, scores, thresholds
from windpower.places import rated_kw
from windpower.split import folds, parts

# A model of fewer points than a week's would be worth nothing.
LEAST_ROWS = 1_000


def usable_points(cleaned: pd.DataFrame, feature_table: pd.DataFrame) -> pd.DataFrame:
    """Points with a wind speed and a power to learn from: time, features, WindSpeed, Power and their `part`."""
    table = feature_table[[TIME, *FEATURES]].copy()
    table[[WIND, POWER]] = cleaned[[WIND, POWER]].to_numpy()
    for name, mask in parts(cleaned[TIME]).items():
        table.loc[mask, "part"] = name
    usable = table[(cleaned[WIND].notna() & cleaned[POWER].notna() & ~cleaned["Stopped"]).to_numpy()]
    count = int((usable["part"] == "train").sum())
    if count < LEAST_ROWS:
        raise UnusableData(f"{count:,} usable rows to train on; at least {LEAST_ROWS:,} are needed (ten minutes each).")
    return usable.reset_index(drop=True)


def _model(options: dict[str, Any], training: dict[str, Any]) -> Any:
    from catboost import CatBoostRegressor

    return CatBoostRegressor(
        **options,
        iterations=training["iterations"],
        loss_function="MAE",
        random_seed=training["seed"],
        thread_count=training["threads"],
        allow_writing_files=False,
        verbose=False,
    )


def tune(points: pd.DataFrame, training: dict[str, Any]) -> dict[str, Any]:
    """The best of `trials` sets of options by their mean MAE over `folds`; the first trial takes the defaults."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    learning = points[points["part"] == "train"]
    features, power = learning[list(FEATURES)].to_numpy(), learning[POWER].to_numpy()

    def objective(trial: optuna.Trial) -> float:
        options = {
            "depth": trial.suggest_int("depth", 4, 8),
            "learning_rate": trial.suggest_float("learning_rate", 0.03, 0.3, log=True),
            "l2_leaf_reg": trial.suggest_float("l2_leaf_reg", 1.0, 10.0, log=True),
        }
        found = []
        for seen, judged in folds(len(learning), training["folds"]):
            model = _model(options, training).fit(features[seen], power[seen])
            found.append(float(np.abs(model.predict(features[judged]) - power[judged]).mean()))
        print(f"trial {trial.number + 1} of {training['trials']}: MAE {np.mean(found):.1f} kW, {options}", flush=True)
        return float(np.mean(found))

    study = optuna.create_study(direction="minimize", sampler=optuna.samplers.TPESampler(seed=training["seed"]))
    study.enqueue_trial({"depth": 6, "learning_rate": 0.1, "l2_leaf_reg": 3.0})
    study.optimize(objective, n_trials=training["trials"])
    return {"options": study.best_params, "mae": study.best_value, "trials": [trial.value for trial in study.trials]}


def fit(points: pd.DataFrame, tuned: dict[str, Any], training: dict[str, Any]) -> Any:
    """The challenger: the best options, fitted on the whole train part."""
    learning = points[points["part"] == "train"]
    return _model(tuned["options"], training).fit(learning[list(FEATURES)], learning[POWER])


def evaluate(challenger: Any, points: pd.DataFrame) -> dict[str, Any]:
    """The challenger on the test part, beside a curve of binned means; and the thresholds for its live figures."""
    learning, test = points[points["part"] == "train"], points[points["part"] == "test"]
    rated = rated_kw()
    predicted = pd.Series(challenger.predict(test[list(FEATURES)]), index=test.index)
    baseline = binned_mean(learning[WIND], learning[POWER], test[WIND])
    return {
        "rows": {str(name): int(count) for name, count in points["part"].value_counts().items()},
        "train_until": str(learning[TIME].iloc[-1]),
        "test_from": str(test[TIME].iloc[0]),
        "test_until": str(test[TIME].iloc[-1]),
        "test": scores(predicted, test[POWER], rated),
        "baseline": scores(baseline, test[POWER], rated),
        "thresholds": thresholds(predicted, test[POWER], rated),
    }


def decide(
    challenger: Any,
    points: pd.DataFrame,
    tuned: dict[str, Any],
    evaluation: dict[str, Any],
    cleaning_report: dict[str, Any],
) -> dict[str, Any]:
    """Registers the challenger, and moves the champion alias to it where it is better on the same test part."""
    test = points[points["part"] == "test"]
    champion = registry.champion_for_comparison()
    champion_mae = None
    if champion is not None:
        champion_mae = float((champion.predict(test[list(FEATURES)]) - test[POWER]).abs().mean())
    better = champion_mae is None or evaluation["test"]["mae"] < champion_mae
    version, run = registry.register(
        challenger, tuned, evaluation, {"cleaning.json": cleaning_report}, champion_mae, best=better
    )
    now = f"version {version}" if better or champion is None else f"still version {champion.version}"
    against = "" if champion is None else f" against {champion_mae:.1f} kW of version {champion.version}"
    print(
        f"version {version}: MAE {evaluation['test']['mae']:.1f} kW{against} on the test part, "
        f"{evaluation['baseline']['mae']:.1f} kW by the binned curve. Champion: {now}.",
        flush=True,
    )
    return {
        "version": version,
        "run_id": run,
        "champion": better,
        "champion_before": champion.version if champion else None,
        "champion_mae": champion_mae,
        "tuning": tuned,
        **evaluation,
    }


def create_pipeline() -> Pipeline:
    """cleaned, feature_table -> points -> tuned -> challenger -> evaluation -> training_result."""
    return Pipeline(
        [
            node(usable_points, ["cleaned", "feature_table"], "points", name="usable_points"),
            node(tune, ["points", "params:training"], "tuned", name="tune"),
            node(fit, ["points", "tuned", "params:training"], "challenger", name="fit"),
            node(evaluate, ["challenger", "points"], "evaluation", name="evaluate"),
            node(
                decide,
                ["challenger", "points", "tuned", "evaluation", "cleaning_report"],
                "training_result",
                name="champion_or_challenger",
            ),
        ]
    )
