"""The HTTP interface: /predict, /model, /health, /reload; /docs describes them."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from typing import Any, Literal

import pandas as pd
from breastcancer.columns import FEATURES, MODEL, NAMES
from fastapi import FastAPI, HTTPException
from fastapi_offline import FastAPIOffline
from pydantic import BaseModel, ConfigDict, Field, create_model

from api.champion import Champion, Loaded

REFRESH_SECONDS = float(os.environ.get("REFRESH_SECONDS", "30"))

# The same columns and limits that the training data is held to.
_FIELDS: dict[str, Any] = {
    one.name: (
        float,
        Field(ge=one.low, le=one.high, allow_inf_nan=False, description=one.meaning, examples=[one.example]),
    )
    for one in FEATURES
}
Sample = create_model("Sample", __config__=ConfigDict(extra="forbid"), __doc__="One tumour's measurements.", **_FIELDS)

champion = Champion()


class Prediction(BaseModel):
    """What the champion says of a sample; `probability` is that of malignant."""

    diagnosis: Literal["malignant", "benign"]
    probability: float
    version: str


class Model(BaseModel):
    """What is served. `metrics` are of the held-out samples but for cv_*; `since`: champion since then."""

    name: str
    version: str
    candidate: str | None
    metrics: dict[str, float]
    since: datetime | None
    loaded: datetime


class Health(BaseModel):
    """The API is up; `problem` says what it lacks."""

    status: Literal["ok"] = "ok"
    version: str | None
    problem: str | None


async def _look_again() -> None:
    while True:
        await asyncio.sleep(REFRESH_SECONDS)
        await asyncio.to_thread(champion.refresh)


@asynccontextmanager
async def _life(_: FastAPI) -> AsyncIterator[None]:
    await asyncio.to_thread(champion.refresh)
    looking = asyncio.create_task(_look_again())
    try:
        yield
    finally:
        looking.cancel()
        with suppress(asyncio.CancelledError):
            await looking


# /docs with scripts of its own: FastAPI's would be fetched from elsewhere.
app = FastAPIOffline(title="Breast cancer", description=f"Serves the champion of the model {MODEL}.", lifespan=_life)


def _served() -> Loaded:
    if champion.now is None:
        raise HTTPException(503, f"There is no model: {champion.problem}")
    return champion.now


def _described(served: Loaded) -> Model:
    return Model(
        name=MODEL,
        version=served.version,
        candidate=served.candidate,
        metrics=dict(served.metrics),
        since=served.since,
        loaded=served.loaded,
    )


@app.get("/health")
async def health() -> Health:
    """Whether the API is up, and which version it serves."""
    return Health(version=champion.now.version if champion.now else None, problem=champion.problem)


@app.get("/model", responses={503: {"description": "There is no model"}})
async def model() -> Model:
    """Which model is served, how good it is, and since when."""
    return _described(_served())


@app.post("/reload", responses={503: {"description": "There is no model"}})
def reload() -> Model:
    """Looks at once for a new champion and serves it from then on; answers what is served."""
    champion.refresh()
    return _described(_served())


@app.post("/predict", responses={503: {"description": "There is no model"}})
def predict(sample: Sample) -> Prediction:  # type: ignore[valid-type]
    """Malignant or benign, by the champion."""
    served = _served()
    row = pd.DataFrame([sample.model_dump()], columns=list(NAMES))  # type: ignore[attr-defined]
    probability = float(served.model.predict_proba(row)[0, 1])
    return Prediction(
        diagnosis="malignant" if probability >= 0.5 else "benign", probability=probability, version=served.version
    )
