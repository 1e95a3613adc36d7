"""MLflow and Jupyter: real answers, and the refusals that users meet."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aiohttp import web

from tui.clients.http import ClientError, Trouble
from tui.clients.jupyter import parse_servers
from tui.clients.mlflow import Metric, MlflowClient

Serve = Callable[[Callable[[web.Request], Awaitable[web.StreamResponse]]], Awaitable[str]]


async def test_runs(serve: Serve, captures: Path) -> None:
    asked: list[dict[str, object]] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(await request.json())
        if request.path.endswith("/experiments/search"):
            return web.json_response({"experiments": [{"experiment_id": "1", "name": "flights"}]})
        return web.Response(body=(captures / "mlflow317-runs-search.json").read_bytes())

    url = await serve(answer)
    async with MlflowClient(url) as client:
        (run,) = await client.runs()
        assert client.run_url(run) == f"{url}/#/experiments/1/runs/61f402507031472ba58eda9005689228"
    assert asked[1]["experiment_ids"] == ["1"]
    assert asked[1]["order_by"] == ["attributes.start_time DESC"]
    assert run.metrics == {"cv_auc": 0.64, "test_auc": 0.71}
    assert run.params == {"numTrees": "15"}
    assert run.tags["mlflow.runName"] == "r1"
    assert run.info.status == "FINISHED"
    assert run.info.started_at == datetime(2026, 11, 20, 15, 22, 38, 979000, tzinfo=UTC)


async def test_an_empty_server_has_no_runs(serve: Serve) -> None:
    async def answer(request: web.Request) -> web.Response:
        assert request.path.endswith("/experiments/search"), "without experiments there is nothing to search"
        return web.json_response({})

    async with MlflowClient(await serve(answer)) as client:
        assert list(await client.runs()) == []


async def test_registered_versions_with_the_names_that_point_at_them(serve: Serve) -> None:
    """As MLflow 3.17 gives them: the aliases only with the models."""
    version = {"name": "delays", "current_stage": "None", "status": "READY", "run_link": ""}
    versions = [{**version, "version": "2", "run_id": "b"}, {**version, "version": "1", "run_id": "a"}]
    aliases = [{"alias": "champion", "version": "1"}, {"alias": "old", "version": "1"}]
    models = [{"name": "empty"}, {"name": "delays", "latest_versions": versions[:1], "aliases": aliases}]

    async def answer(request: web.Request) -> web.Response:
        if request.path == "/api/2.0/mlflow/model-versions/search":
            return web.json_response({"model_versions": versions})
        assert request.path == "/api/2.0/mlflow/registered-models/search"
        return web.json_response({"registered_models": models})

    async with MlflowClient(await serve(answer)) as client:
        found = [(each.run_id, each.name, each.version, each.aliases) for each in await client.model_versions()]
    assert found == [("b", "delays", "2", ()), ("a", "delays", "1", ("champion", "old"))]


async def test_without_registered_models_nothing_more_is_asked(serve: Serve) -> None:
    async def answer(request: web.Request) -> web.Response:
        assert request.path.endswith("model-versions/search")
        return web.json_response({})

    async with MlflowClient(await serve(answer)) as client:
        assert list(await client.model_versions()) == []


async def test_a_refused_host_name_is_explained(serve: Serve) -> None:
    async def answer(request: web.Request) -> web.Response:
        text = "Invalid Host header - possible DNS rebinding attack detected"
        return web.Response(status=403, text=text)

    async with MlflowClient(await serve(answer)) as client:
        with pytest.raises(ClientError, match=r"--allowed-hosts that names 127.0.0.1:\d+") as caught:
            await client.experiments(1)
        with pytest.raises(ClientError, match="--allowed-hosts"):
            await client.history("r", "auc")
    assert (caught.value.kind, caught.value.status) == (Trouble.STATUS, 403)


async def test_another_403_is_not_taken_for_it(serve: Serve) -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(status=403, text="not allowed")

    async with MlflowClient(await serve(answer)) as client:
        with pytest.raises(ClientError, match="status 403: not allowed"):
            await client.experiments(1)


def test_numbers_that_json_lacks() -> None:
    assert math.isnan(Metric("a", "NaN").number or 0)
    assert Metric("a", "-Infinity").number == -math.inf
    assert Metric("a", 0.5).number == 0.5
    assert Metric("a", "high").number is None


LISTED = (
    '{"base_url": "/", "hostname": "0.0.0.0", "password": false, "pid": 7, "port": 8888, "root_dir": "/work",'
    ' "secure": false, "sock": "", "token": "2a390f", "url": "http://c0ffee:8888/", "version": "2.21.1"}'
)


def test_the_token_in_the_list_of_servers() -> None:
    output = f"[W 2026-11-21 ServerApp] a warning\n{LISTED}\n\n{{broken\n"
    assert [(server.url, server.token) for server in parse_servers(output)] == [("http://c0ffee:8888/", "2a390f")]
    assert parse_servers("") == []
