"""The project's pipelines by name, for `kedro run --pipeline NAME` and for kedro-viz."""

from __future__ import annotations

from kedro.pipeline import Pipeline

from windpower.pipelines import features, inference, training


def register_pipelines() -> dict[str, Pipeline]:
    """`training` makes its features itself; without a name everything runs, in order."""
    made, trained, inferred = features.create_pipeline(), training.create_pipeline(), inference.create_pipeline()
    return {
        "features": made,
        "training": made + trained,
        "inference": inferred,
        "__default__": made + trained + inferred,
    }
