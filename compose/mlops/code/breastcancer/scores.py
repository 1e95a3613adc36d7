"""How good a model is, and whether it is better than the champion."""

from collections.abc import Mapping
from typing import Any, Final

import pandas as pd
from sklearn.metrics import accuracy_score, log_loss, roc_auc_score

from breastcancer.columns import NAMES, TARGET

DECISIVE: Final = "log_loss"  # of probabilities, in nats: less is better


def scores(model: Any, part: pd.DataFrame) -> dict[str, float]:
    """Log loss (nats), area under the ROC curve and accuracy of a fitted classifier on a part of the data."""
    truth = part[TARGET]
    probability = model.predict_proba(part[list(NAMES)])[:, 1]
    return {
        "log_loss": float(log_loss(truth, probability)),
        "auc": float(roc_auc_score(truth, probability)),
        "accuracy": float(accuracy_score(truth, probability >= 0.5)),
    }


def beats(new: Mapping[str, float], champion: Mapping[str, float]) -> bool:
    """Whether a model is better than the champion, both by scores on the same data; a tie leaves the champion."""
    return new[DECISIVE] < champion[DECISIVE]
