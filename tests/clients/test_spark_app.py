"""A running application behind the master's reverse proxy."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from aiohttp import web

from tui.clients.http import ClientError
from tui.clients.spark_app import RUN_PROPERTY, AppClient, AppInfo, Executor, SparkJob, Stage, spark_time

Serve = Callable[[Callable[[web.Request], Awaitable[web.StreamResponse]]], Awaitable[str]]
APP = "app-20261120150926-0000"


async def test_real_answers_behind_the_proxy(serve: Serve, captures: Path) -> None:
    base = f"/proxy/{APP}/api/v1/applications/{APP}"
    files = {
        "/jobs": "sp35-jobs",
        "/stages?status=active": "sp35-stages_status_active",
        "/executors": "sp43-executors",
    }

    async def answer(request: web.Request) -> web.Response:
        assert request.path_qs.startswith(base)
        name = files[request.path_qs.removeprefix(base)]
        return web.Response(body=(captures / f"{name}.json").read_bytes(), content_type="application/json")

    async with AppClient(f"{await serve(answer)}/proxy/{APP}", APP) as client:
        jobs, stages, executors = await client.jobs(), await client.active_stages(), await client.executors()
    assert jobs is not None and stages is not None and executors is not None
    assert [job.job_id for job in jobs] == [7, 6, 5, 4, 3, 2, 1, 0]
    assert (jobs[0].job_group, jobs[0].description, jobs[0].status) == ("grp1", "train step", "RUNNING")
    assert (jobs[2].num_skipped_tasks, jobs[2].num_completed_indices) == (9, 1)
    assert [(s.stage_id, s.num_tasks, s.num_completed_indices, s.executor_run_time) for s in stages] == [
        (12, 12, 11, 7622)
    ]
    assert [(e.id, e.total_cores, e.active_tasks) for e in executors] == [
        ("driver", 0, 0),
        ("1", 2, 2),
        ("0", 2, 2),
    ]
    assert executors[0].total_gc_time == 600


async def test_properties_name_the_run(serve: Serve) -> None:
    async def answer(request: web.Request) -> web.Response:
        assert request.path.endswith("/environment")
        return web.json_response({"runtime": {}, "sparkProperties": [["spark.app.name", "x"], [RUN_PROPERTY, "r-1"]]})

    async with AppClient(f"{await serve(answer)}/proxy/{APP}", APP) as client:
        properties = await client.properties()
    assert properties is not None
    assert properties[RUN_PROPERTY] == "r-1"


@pytest.mark.parametrize("status", [200, 302, 403, 404, 500, 502, 503])
async def test_a_driver_that_is_not_there_is_no_error(serve: Serve, status: int) -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(status=status, text="<html>Spark is starting up</html>", headers={"Location": "/"})

    async with AppClient(f"{await serve(answer)}/proxy/{APP}", APP) as client:
        assert await client.info() is None
        assert await client.jobs() is None
        assert await client.active_stages() is None
        assert await client.stages() is None
        assert await client.executors(lost=True) is None
        assert await client.properties() is None


async def test_a_master_that_is_not_there_is_one() -> None:
    async with AppClient("http://no-such-host.invalid:8080", APP) as client:
        with pytest.raises(ClientError):
            await client.jobs()


async def test_an_id_cannot_leave_its_path(serve: Serve) -> None:
    asked: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(request.raw_path)
        return web.json_response([])

    async with AppClient(await serve(answer), "../kill?id=1#") as client:
        await client.jobs()
    assert asked[0] == "/api/v1/applications/..%2Fkill%3Fid=1%23/jobs"


def test_a_running_application_has_no_end() -> None:
    raw = (
        b'{"id": "a", "name": "n", "attempts": [{"startTime": "2026-11-20T15:09:26.610GMT",'
        b' "endTime": "1969-12-31T23:59:59.999GMT", "completed": false, "sparkUser": "root"}]}'
    )
    attempt = msgspec.json.decode(raw, type=AppInfo).attempts[0]
    assert attempt.started_at == datetime(2026, 11, 20, 15, 9, 26, 610000, tzinfo=UTC)
    assert attempt.ended_at is None


@pytest.mark.parametrize("text", [None, "", "yesterday", "2026-13-40T00:00:00.000GMT"])
def test_no_time(text: str | None) -> None:
    assert spark_time(text) is None


def test_every_capture_is_understood() -> None:
    folder = Path(__file__).parents[3] / "shared" / "captures"
    if not folder.is_dir():
        pytest.skip("the captures are not here")
    types: dict[str, type] = {
        "jobs": SparkJob,
        "stages": Stage,
        "executors": Executor,
        "allexecutors": Executor,
    }
    seen = 0
    for file in folder.glob("sp*.json"):
        type_ = types.get(file.stem.split("-")[1].split("_status")[0])
        if type_ is not None:
            msgspec.json.decode(file.read_bytes(), type=tuple[type_, ...])  # type: ignore[valid-type]
            seen += 1
    assert seen >= 10
