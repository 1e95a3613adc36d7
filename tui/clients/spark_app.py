"""A running Spark application: jobs, stages and executors, through the master's reverse proxy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TypeVar
from urllib.parse import quote

from msgspec import Struct, field

from tui.clients.http import ClientError, HttpClient, Trouble

T = TypeVar("T")

RUN_PROPERTY = "spark.sparkdeck.run"
"""The Spark property that holds the id of the run which an application belongs to."""


def spark_time(text: str | None) -> datetime | None:
    """A time like `2026-11-20T15:10:07.191GMT`; None if unknown or not yet (Spark says 1969)."""
    if not text:
        return None
    try:
        time = datetime.strptime(text.removesuffix("GMT"), "%Y-%m-%dT%H:%M:%S.%f").replace(tzinfo=UTC)
    except ValueError:
        return None
    return None if time.year < 1971 else time


class SparkJob(Struct, frozen=True, rename="camel"):
    """A Spark job (one action). `status`: RUNNING, SUCCEEDED, FAILED or UNKNOWN."""

    job_id: int
    name: str
    status: str
    num_tasks: int
    num_active_tasks: int
    num_completed_tasks: int
    num_skipped_tasks: int
    num_failed_tasks: int
    num_completed_indices: int
    description: str | None = None
    job_group: str | None = None
    submission_time: str | None = None
    completion_time: str | None = None
    stage_ids: tuple[int, ...] = ()


class Stage(Struct, frozen=True, rename="camel"):
    """A stage's attempt. `status`: ACTIVE, COMPLETE, PENDING, FAILED or SKIPPED.

    Times in milliseconds are sums over finished tasks; bytes are bytes.
    """

    stage_id: int
    attempt_id: int
    status: str
    name: str
    num_tasks: int
    num_active_tasks: int
    num_complete_tasks: int
    num_failed_tasks: int
    num_completed_indices: int
    description: str | None = None
    submission_time: str | None = None
    completion_time: str | None = None
    failure_reason: str | None = None
    executor_run_time: int | None = None
    executor_deserialize_time: int | None = None
    jvm_gc_time: int | None = None
    input_bytes: int | None = None
    input_records: int | None = None
    shuffle_read_bytes: int | None = None
    shuffle_write_bytes: int | None = None
    memory_bytes_spilled: int | None = None
    disk_bytes_spilled: int | None = None


class Executor(Struct, frozen=True, rename="camel"):
    """An executor, or the driver (`id` is "driver"). Memory is storage memory in bytes."""

    id: str
    host_port: str
    is_active: bool
    total_cores: int
    active_tasks: int
    completed_tasks: int
    failed_tasks: int
    memory_used: int | None = None
    max_memory: int | None = None
    total_duration: int | None = None
    total_gc_time: int | None = field(name="totalGCTime", default=None)
    add_time: str | None = None
    remove_time: str | None = None
    remove_reason: str | None = None


class Attempt(Struct, frozen=True, rename="camel"):
    """One attempt of an application."""

    start_time: str | None = None
    end_time: str | None = None
    completed: bool = False
    spark_user: str = ""
    app_spark_version: str = ""

    @property
    def started_at(self) -> datetime | None:
        """When it started."""
        return spark_time(self.start_time)

    @property
    def ended_at(self) -> datetime | None:
        """When it ended; None while it runs."""
        return spark_time(self.end_time)


class AppInfo(Struct, frozen=True):
    """An application as its driver knows it."""

    id: str
    name: str
    attempts: tuple[Attempt, ...] = ()


class _Environment(Struct, frozen=True):
    properties: tuple[tuple[str, str], ...] = field(name="sparkProperties")


class AppClient(HttpClient):
    """The REST API of one application below its driver's address or its proxy's: `/api/v1/applications/{app_id}`.

    Every call returns None while the driver is starting or has ended: a proxy then gives 403, 404, 503, a
    redirect or HTML. ClientError is raised where nothing answers.
    """

    system = "the Spark application"
    advice = "Check that the master runs: sparkdeck status."

    def __init__(self, url: str, app_id: str) -> None:
        super().__init__(f"{url.rstrip('/')}/api/v1/applications/{quote(app_id, safe='')}")
        self.app_id = app_id

    async def _get_if_there(self, path: str, type: type[T], params: Mapping[str, str] | None = None) -> T | None:
        try:
            return await self.get(path, type, params)
        except ClientError as error:
            if error.kind in (Trouble.STATUS, Trouble.ANSWER):
                return None
            raise

    async def info(self) -> AppInfo | None:
        """The application's name and attempts."""
        return await self._get_if_there("", AppInfo)

    async def jobs(self) -> Sequence[SparkJob] | None:
        """Every job so far, newest first."""
        return await self._get_if_there("jobs", tuple[SparkJob, ...])

    async def active_stages(self) -> Sequence[Stage] | None:
        """The stages that run now; small enough to be asked for every second."""
        return await self._get_if_there("stages", tuple[Stage, ...], {"status": "active"})

    async def stages(self) -> Sequence[Stage] | None:
        """Every stage so far. About 3 KB each: not for every second."""
        return await self._get_if_there("stages", tuple[Stage, ...])

    async def executors(self, *, lost: bool = False) -> Sequence[Executor] | None:
        """The executors and the driver; with `lost` those too that were removed, with the reason."""
        return await self._get_if_there("allexecutors" if lost else "executors", tuple[Executor, ...])

    async def properties(self) -> Mapping[str, str] | None:
        """The application's Spark properties; Spark itself masks those that look secret."""
        environment = await self._get_if_there("environment", _Environment)
        return None if environment is None else dict(environment.properties)
