"""The models that compete, small enough to train in seconds."""

from collections.abc import Callable
from typing import Any, Final

from sklearn.dummy import DummyClassifier
from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

SEED: Final = 7

CANDIDATES: Final[dict[str, Callable[[], Any]]] = {
    "logistic": lambda: make_pipeline(StandardScaler(), LogisticRegression()),
    "forest": lambda: RandomForestClassifier(100, min_samples_leaf=3, random_state=SEED),
    "boosting": lambda: GradientBoostingClassifier(n_estimators=60, random_state=SEED),
    # Knows only how many are malignant: what every other must beat.
    "baseline": lambda: DummyClassifier(),
}

TRUSTED: Final = ["sklearn.tree._tree.Tree"]
"""Types beyond skops' own list that these models hold: files with any others are not loaded."""
