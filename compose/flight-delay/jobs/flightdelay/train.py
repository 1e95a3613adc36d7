"""Step 3, train: logistic regression, random forest and boosted trees on the same feature vector."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pyspark.ml import Model, PipelineModel, Transformer
from pyspark.ml.base import Estimator
from pyspark.ml.classification import GBTClassifier, LogisticRegression, RandomForestClassifier
from pyspark.ml.feature import PCA, OneHotEncoder, StandardScaler, StringIndexer, VectorAssembler
from pyspark.ml.stat import Summarizer
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from flightdelay.errors import BadInput
from flightdelay.evaluate import areas, at, best_threshold, histogram
from flightdelay.steps import name_jobs, read_summary, say, spark_path, written_whole

if TYPE_CHECKING:
    from flightdelay.options import Options

MODELS: Final = {"lr": "logistic regression", "rf": "random forest", "gbt": "boosted trees"}
TOP: Final = 12
Logged = Callable[[str, dict[str, Any]], None]


def train(
    spark: SparkSession,
    flights: Path,
    prepared: Path,
    folder: Path,
    options: "Options",
    logged: Logged,
) -> dict[str, Any]:
    """Fit the models on the training part, choose by validation AUC, measure on the later test part.

    The best model is saved whole, with its features and its threshold, to folder.
    logged is called with each model's name and result.
    Raises BadInput where an earlier step is missing or out of date.
    """
    summary = read_summary(prepared, "preprocess")
    if summary["from"] != read_summary(flights, "load")["id"]:
        raise BadInput(f"{prepared}: older than the loaded flights. Run preprocess again: TASKS=preprocess,train")
    part = {name: spark.read.parquet(spark_path(prepared / f"part={name}")) for name in ("train", "validation", "test")}
    sizes = summary["split"]["train"]
    name_jobs(spark, "train", "build the feature vector")
    vector, names = _vector(part["train"], summary["numeric"], summary["categories"], options.pca)
    late = sizes["delayed"] / sizes["rows"]
    weight = F.when(F.col("label") == 1.0, 0.5 / late).otherwise(0.5 / (1 - late))
    ready = {
        name: PipelineModel(vector).transform(frame).select("label", "features", weight.alias("weight")).cache()
        for name, frame in part.items()
    }
    spread = _spread(ready["train"])
    results: dict[str, Any] = {}
    fitted: dict[str, Any] = {}
    for name in options.models:
        started = time.monotonic()
        name_jobs(spark, "train", f"fit {MODELS[name]}")
        fitted[name] = _estimator(name, options.seed).fit(ready["train"])
        name_jobs(spark, "train", f"evaluate {MODELS[name]}")
        validation = histogram(fitted[name].transform(ready["validation"]))
        test = histogram(fitted[name].transform(ready["test"]))
        chosen = best_threshold(validation) if options.threshold is None else options.threshold
        results[name] = {
            "seconds": round(time.monotonic() - started, 1),
            "threshold": chosen,
            "validation": {**areas(validation), **at(validation, chosen)},
            "test": {**areas(test), **at(test, chosen)},
            "top": _top(fitted[name], names, spread),
        }
        say(f"      {MODELS[name]}: test AUC {results[name]['test']['auc']:.3f}, {results[name]['seconds']} s")
        logged(name, results[name])
    best = max(options.models, key=lambda name: float(results[name]["validation"]["auc"]))
    chosen = min(max(results[best]["threshold"], 0.0001), 0.9999)
    fitted[best].setThresholds([1 - chosen, chosen])
    name_jobs(spark, "train", "save the best model")
    with written_whole(folder) as whole:
        PipelineModel([*vector, fitted[best]]).write().save(f"file:{whole}")
        for checksum in whole.rglob(".*.crc"):
            checksum.unlink()
    for frame in ready.values():
        frame.unpersist()
    rows, late_rows = summary["split"]["test"]["rows"], summary["split"]["test"]["delayed"]
    return {
        "models": results,
        "best": best,
        "baseline": {"accuracy": 1 - late_rows / rows, "delayed": late_rows / rows},
        "vector": names,
    }


def _vector(
    train: DataFrame, numeric: list[str], categories: list[str], pca: int | None
) -> tuple[list[Transformer], list[str]]:
    """The fitted stages that make the vector "features", and the names of its entries."""
    indexer = StringIndexer(
        inputCols=categories, outputCols=[f"{name}_index" for name in categories], handleInvalid="keep"
    ).fit(train)
    indexed = indexer.transform(train)
    encoder = OneHotEncoder(
        inputCols=[f"{name}_index" for name in categories],
        outputCols=[f"{name}_hot" for name in categories],
    ).fit(indexed)
    out = "plain" if pca else "features"
    assembler = VectorAssembler(inputCols=[*numeric, *(f"{name}_hot" for name in categories)], outputCol=out)
    stages: list[Transformer] = [indexer, encoder, assembler]
    # dropLast (the default) leaves out only the "unseen" category that handleInvalid adds.
    names = [
        *numeric,
        *(f"{name}={label}" for name, labels in zip(categories, indexer.labelsArray, strict=True) for label in labels),
    ]
    if pca:
        if pca > len(names):
            raise BadInput(f"--pca {pca}: the feature vector has {len(names)} entries. Choose 1 to {len(names)}.")
        assembled = assembler.transform(encoder.transform(indexed))
        scaler = StandardScaler(inputCol="plain", outputCol="scaled", withMean=True).fit(assembled)
        reducer = PCA(k=pca, inputCol="scaled", outputCol="features").fit(scaler.transform(assembled))
        stages += [scaler, reducer]
        names = [f"pc{i + 1}" for i in range(pca)]
    return stages, names


def _estimator(name: str, seed: int) -> Estimator[Any]:
    if name == "lr":
        return LogisticRegression(weightCol="weight", maxIter=50, regParam=0.005)
    if name == "rf":
        return RandomForestClassifier(
            weightCol="weight", numTrees=40, maxDepth=8, minInstancesPerNode=10, subsamplingRate=0.7, seed=seed
        )
    return GBTClassifier(
        weightCol="weight", maxIter=40, maxDepth=3, stepSize=0.1, subsamplingRate=0.7, minInstancesPerNode=50, seed=seed
    )


def _spread(frame: DataFrame) -> list[float]:
    found = frame.select(Summarizer.std(F.col("features")).alias("std")).first()
    assert found is not None
    return [float(value) for value in found["std"]]


def _top(model: Model, names: list[str], spread: list[float]) -> list[dict[str, Any]]:
    """The features that weigh most: importance of trees, coefficient per standard deviation of lr."""
    if hasattr(model, "coefficients"):
        weights = [float(w) * s for w, s in zip(model.coefficients, spread, strict=True)]
    else:
        weights = [float(w) for w in model.featureImportances.toArray()]  # type: ignore[attr-defined]
    ranked = sorted(zip(names, weights, strict=True), key=lambda pair: -abs(pair[1]))[:TOP]
    return [{"feature": name, "weight": round(weight, 4)} for name, weight in ranked if weight]
