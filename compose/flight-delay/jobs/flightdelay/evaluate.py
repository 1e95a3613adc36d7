"""How good scores are, from a histogram of them: one pass over the data gives every measure."""

from collections.abc import Mapping
from typing import Any, Final

from pyspark.ml.functions import vector_to_array
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

BINS: Final = 10_000
Histogram = dict[int, tuple[int, int]]
"""{floor(score * BINS): (on time, late)}"""


def histogram(scored: DataFrame) -> Histogram:
    """Count the labels per bin of the late class's probability; at most BINS + 1 rows reach the driver."""
    score = vector_to_array(F.col("probability"))[1]
    found = (
        scored.groupBy(F.floor(score * BINS).cast("int").alias("bin"))
        .agg(F.count("*").alias("n"), F.sum("label").alias("late"))
        .collect()
    )
    return {row["bin"]: (row["n"] - int(row["late"]), int(row["late"])) for row in found}


def areas(bins: Mapping[int, tuple[int, int]]) -> dict[str, float]:
    """auc: area under the ROC curve (trapezoids). pr_auc: average precision, sum of precision x recall gained."""
    on_time, late = (sum(counts[i] for counts in bins.values()) for i in (0, 1))
    fp = tp = 0
    auc = average = 0.0
    for _, (negative, positive) in sorted(bins.items(), reverse=True):
        auc += negative * (tp + positive / 2)
        fp, tp = fp + negative, tp + positive
        average += positive * tp / (tp + fp)
    return {"auc": auc / (on_time * late), "pr_auc": average / late}


def at(bins: Mapping[int, tuple[int, int]], threshold: float) -> dict[str, Any]:
    """Precision, recall, F1 and accuracy when a score of threshold or more means late."""
    edge = round(threshold * BINS)
    tp = sum(late for score, (_, late) in bins.items() if score >= edge)
    fp = sum(on_time for score, (on_time, _) in bins.items() if score >= edge)
    late = sum(late for _, late in bins.values())
    rows = late + sum(on_time for on_time, _ in bins.values())
    fn, tn = late - tp, rows - late - fp
    return {
        "precision": tp / (tp + fp) if tp + fp else 0.0,
        "recall": tp / late if late else 0.0,
        "f1": 2 * tp / (2 * tp + fp + fn) if tp + fp + fn else 0.0,
        "accuracy": (tp + tn) / rows,
        "tp": tp,
        "fp": fp,
        "tn": tn,
        "fn": fn,
    }


def best_threshold(bins: Mapping[int, tuple[int, int]]) -> float:
    """The threshold with the highest F1."""
    late = sum(late for _, late in bins.values())
    tp = fp = 0
    best = (-1.0, 0.5)
    for score, (on_time, hits) in sorted(bins.items(), reverse=True):
        tp, fp = tp + hits, fp + on_time
        best = max(best, (2 * tp / (tp + fp + late), score / BINS))
    return best[1]
