"""An application on Spark, by spark-submit in a service that has it."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Awaitable, Callable, Mapping, Sequence

from tui.clients.spark_app import RUN_PROPERTY, AppClient, SparkJob
from tui.clients.spark_master import MasterClient, MasterState
from tui.engine.interface import NoWay, Reach, Replica
from tui.jobs.kinds.kind import Kind, Observer, Seen, Started, SubmitError
from tui.jobs.progress import Pace, run_progress
from tui.stack.model import JobKind, JobSpec, Project, Role, Service, Stack
from tui.watch.driver import DriverUi, driver_ui
from tui.watch.links import master_url
from tui.watch.queued import Queued, queued_reason
from tui.watch.words import size

_CONFS = {
    "driver_memory": "spark.driver.memory",
    "executor_memory": "spark.executor.memory",
    "cores": "spark.cores.max",
    "jars": "spark.jars",
}
# What a driver or an executor takes unless the form, the job or the client's environment says otherwise: Spark's own
# default. (What an executor needs outside the heap a standalone master does not count.)
_DEFAULT_MEMORY = "1g"
_UNITS = {"k": 1024, "m": 1024**2, "g": 1024**3, "t": 1024**4}
_NOT_YET_LOOKS = 10
# Not every image has it on the PATH: the usual places of several publishers.
_PLACES = "$SPARK_HOME/bin:/opt/spark/bin:/opt/bitnami/spark/bin:/spark/bin:/usr/local/spark/bin"
SEARCHED = ("sh", "-c", f'PATH="$PATH:{_PLACES}"; exec "$0" "$@"')


def is_application(run: Replica) -> bool:
    """Whether a run is an application on Spark, as its command tells."""
    return any(RUN_PROPERTY in word for word in run.command)


class Spark(Kind):
    """spark-submit with the run's id among Spark's properties, where it is found again."""

    name = JobKind.SPARK
    fields = ("main_class", "args", "tasks", *_CONFS, "confs")
    conf_example = "spark.sql.shuffle.partitions=8; KEY=VALUE"
    all_well = "the services are up, the file is there, the cluster has room"
    has_driver = True

    def command(
        self, project: Project, job: JobSpec, run: str, args: Sequence[str], conf: Mapping[str, str]
    ) -> tuple[list[str], list[str]]:
        """spark-submit and the application, and its arguments."""
        command = [*(SEARCHED if job.searched else ()), "spark-submit", "--conf", f"{RUN_PROPERTY}={run}"]
        for key, value in {**job.conf, **conf}.items():
            command += ["--conf", f"{key}={value}"]
        if job.main_class:
            command += ["--class", job.main_class]
        return [*command, job.app], [*job.args, *args]

    def needs(self, stack: Stack, project: Project, job: JobSpec) -> list[str]:
        """Its own service, which may run nothing where nobody wrote a layout, and the masters."""
        return [*([] if job.searched else [job.service]), *stack.with_role(project, Role.SPARK_MASTER)]

    def conf_of(self, fields: Mapping[str, str]) -> dict[str, str]:
        """Memory, cores and jars."""
        conf = {key: value for name, key in _CONFS.items() if (value := fields[name].strip())}
        for name in ("driver_memory", "executor_memory"):
            if _CONFS[name] in conf:
                spark_memory(conf[_CONFS[name]])
        cores = conf.get(_CONFS["cores"], "1")
        if not cores.isdigit() or int(cores) == 0:
            raise SubmitError(f"{cores!r} is no number of cores.")
        return conf

    def fields_of(self, conf: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
        """Memory, cores and jars, and the rest."""
        fields = {name: conf[key] for name, key in _CONFS.items() if key in conf}
        return fields, {key: value for key, value in conf.items() if key not in _CONFS.values()}

    def default(self, field: str, service: Service | None) -> str:
        """What the service's environment gives a driver or an executor, else what Spark does."""
        if not field.endswith("_memory"):
            return ""
        return (service.environment.get(f"SPARK_{field.upper()}") if service else None) or _DEFAULT_MEMORY

    def room(self, service: Service | None, conf: Mapping[str, str], master: MasterState) -> list[str]:
        """Whether a worker can give an executor its memory, now or ever."""
        workers = master.alive_workers()
        if not workers:
            return ["No worker is registered with the Spark master: the job would wait."]
        wanted = spark_memory(conf.get(_CONFS["executor_memory"]) or self.default("executor_memory", service))
        largest = max(worker.memory for worker in workers)
        if wanted > largest:
            return [f"No worker can give an executor {size(wanted)}: the largest offers {size(largest)}."]
        free = max(worker.memory - worker.memory_used for worker in workers)
        if wanted > free:
            return [f"It would wait: an executor needs {size(wanted)}, the most that is free is {size(free)}."]
        return []

    async def observe(
        self, engine: Reach, stack: Stack, project: Project, replicas: Sequence[Replica], run: Replica
    ) -> Observer | None:
        """Its application, found through the master."""
        url = await master_url(engine, stack, project, replicas)
        way = functools.partial(driver_ui, engine, stack, project, replicas, driver=run)
        return _Application(url, run.labels["run"], way) if url else None


def spark_memory(text: str) -> int:
    """Spark's way to write memory (512m, 2g; a number alone is MiB) in bytes. Raises SubmitError."""
    body = text.strip().lower().removesuffix("b")
    unit = _UNITS.get(body[-1:], 0)
    number = body[:-1] if unit else body
    if not number.isdigit() or int(number) == 0:
        raise SubmitError(f"{text!r} is no memory size; write 512m or 2g.")
    return int(number) * (unit or _UNITS["m"])


class _Application:
    """The run's application: found once through the Spark master, then asked again and again.

    `way` says where an application's driver can be asked.
    """

    def __init__(self, master: str, run: str, way: Callable[[str], Awaitable[DriverUi | NoWay]]) -> None:
        self._run = run
        self._way = way
        self._master = MasterClient(master)
        self._app: AppClient | None = None
        self._others: set[str] = set()
        self._not_yet = 0
        self._pace = Pace()
        self.jobs: Sequence[SparkJob] = ()

    async def close(self) -> None:
        await self._master.close()
        if self._app is not None:
            await self._app.close()

    async def look(self) -> list[Seen]:
        """What is new; nothing while the driver is not there (yet)."""
        state = await self._master.state()
        updates: list[Seen] = []
        if self._app is None:
            found = await self._find(state)
            if found is None:
                return []
            app_id, way = found
            updates.append(Started(app_id, way.page))
            self._app = AppClient(way.api, app_id)
        known = state.application(self._app.app_id)
        reason = queued_reason(state, known) if known else None
        # "Not yet" is true of every application for a moment: worth saying only if it stays so.
        self._not_yet = self._not_yet + 1 if reason and reason.kind is Queued.NOT_YET else 0
        if reason is not None and (reason.kind is not Queued.NOT_YET or self._not_yet > _NOT_YET_LOOKS):
            updates.append(reason)
        jobs, stages = await asyncio.gather(self._app.jobs(), self._app.active_stages())
        if jobs is not None:
            self.jobs = jobs
            active = stages or ()
            updates.append(run_progress(jobs, active, self._pace.look(active)))
        return updates

    async def _find(self, state: MasterState) -> tuple[str, DriverUi] | None:
        for candidate in state.active:
            if candidate.id in self._others:
                continue
            way = await self._way(candidate.id)
            if isinstance(way, NoWay):
                continue
            async with AppClient(way.api, candidate.id) as client:
                properties = await client.properties()
            if properties is None:
                continue
            if properties.get(RUN_PROPERTY) == self._run:
                return candidate.id, way
            self._others.add(candidate.id)
        return None
