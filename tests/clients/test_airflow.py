"""Airflow's health and newest run, from what Airflow 3.3 and 2.11 answer."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from aiohttp import web

from tests.clients.conftest import Serve
from tui.clients.airflow import AirflowClient, DagRun
from tui.clients.http import ClientError

UP = {"status": "healthy"}


class Airflow:
    """What answers as Airflow 3.3 does; `two`: as Airflow 2."""

    def __init__(self, *, two: bool = False) -> None:
        self.two = two
        self.token = "t1"
        self.asked: list[str] = []

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append(request.path)
        if request.path == ("/health" if self.two else "/api/v2/monitor/health"):
            sick = {"status": "unhealthy", "latest_scheduler_heartbeat": None}
            return web.json_response(
                {"metadatabase": UP, "scheduler": sick, "triggerer": UP, "dag_processor": {"status": None}}
            )
        if request.path == "/auth/token" and (await request.json()) == {"username": "admin", "password": "pw"}:
            return web.json_response({"access_token": self.token}, status=201)
        if request.path == "/api/v2/dags/~/dagRuns" and request.headers.get("Authorization") == f"Bearer {self.token}":
            assert request.query["limit"] == "1"
            run: dict[str, object] = {
                "dag_id": "train",
                "dag_run_id": "r1",
                "state": "success",
                "conf": {},
                "note": None,
            }
            times = {"start_date": "2026-11-21T09:00:00.5Z", "end_date": "2026-11-21T09:02:00Z"}
            return web.json_response({"dag_runs": [{**run, **times}], "total_entries": 7})
        return web.json_response({"detail": "no"}, status=404 if self.two else 401)


async def test_components_and_the_newest_run(serve: Serve) -> None:
    airflow = Airflow()
    async with AirflowClient(await serve(airflow.answer)) as client:
        assert await client.health() == {"database": "healthy", "scheduler": "unhealthy", "triggerer": "healthy"}
        assert client.has_runs and not client.logged_in
        with pytest.raises(ClientError) as caught:
            await client.last_run()
        assert caught.value.status == 401
        await client.log_in("admin", "pw")
        run = await client.last_run()
        end = datetime(2026, 11, 21, 9, 2, tzinfo=UTC)
        assert run == DagRun("train", "r1", "success", datetime(2026, 11, 21, 9, 0, 0, 500_000, UTC), end)
        client.log_out()
        assert not client.logged_in


async def test_airflow_2_has_its_health_elsewhere(serve: Serve) -> None:
    airflow = Airflow(two=True)
    async with AirflowClient(await serve(airflow.answer)) as client:
        for _ in range(2):
            assert (await client.health())["scheduler"] == "unhealthy"
    assert not client.has_runs
    assert airflow.asked == ["/api/v2/monitor/health", "/health", "/health"], "it is remembered"


async def test_a_wrong_password_is_not_repeated_in_the_message(serve: Serve) -> None:
    async with AirflowClient(await serve(Airflow().answer)) as client:
        with pytest.raises(ClientError) as caught:
            await client.log_in("admin", "s3cret")
    assert caught.value.status == 401 and "s3cret" not in str(caught.value)
