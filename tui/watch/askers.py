"""What services say of their own work, in a line each: one small class for every role that is asked over HTTP."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import ClassVar

from tui.clients.airflow import AirflowClient, DagRun
from tui.clients.application import USUAL_PATHS, ApplicationClient, health_url
from tui.clients.http import ClientError, HttpClient, Trouble
from tui.clients.mlflow import MlflowClient, MlflowRun, ModelAlias
from tui.clients.object_store import DEFAULT_REGION, Contents, ObjectStoreClient
from tui.clients.text import plain
from tui.engine.interface import Engine, Replica
from tui.stack.model import Project, Role, Stack
from tui.watch.links import page_urls
from tui.watch.logins import login_of
from tui.watch.words import ago, moment, size

# Characters of a name.
NAME = 40
CHAMPION = "champion"
# More experiments than these are not counted.
EXPERIMENTS = 1000


@dataclass(frozen=True, slots=True)
class Place:
    """A replica that is asked, and where."""

    engine: Engine
    stack: Stack
    project: Project
    replica: Replica

    async def urls(self) -> dict[int, str]:
        """Its addresses by its own ports, the likeliest first. Raises EngineError."""
        return await page_urls(self.engine, self.stack, self.project, self.replica)


class Asker:
    """Asks one replica as long as it runs. `seconds` between two questions."""

    seconds: ClassVar[float] = 5.0

    def __init__(self, place: Place) -> None:
        self.place = place
        self._client: HttpClient | None = None

    async def line(self) -> str:
        """What it says now; empty if there is nothing to ask. Raises ClientError, EngineError."""
        raise NotImplementedError

    async def close(self) -> None:
        """Gives back the connection."""
        if self._client is not None:
            await self._client.close()
            self._client = None


class ObjectStore(Asker):
    """`2 buckets, 1,234 objects, 56 MiB`; without credentials whether it is live."""

    seconds = 10.0

    async def line(self) -> str:
        """Its contents."""
        if not isinstance(self._client, ObjectStoreClient):
            found = await self._find()
            if isinstance(found, str):
                return found
            self._client = found
        try:
            return contents_text(await self._client.contents())
        except ClientError:
            # The next question begins anew, with the credentials of then.
            await self.close()
            raise

    async def _find(self) -> ObjectStoreClient | str:
        """The client for the port that speaks S3, else what there is to say."""
        place = self.place
        login = await login_of(place.engine, place.stack, place.replica)
        settings = place.project.services[place.replica.service].environment
        names = ("MINIO_SITE_REGION", "MINIO_REGION", "AWS_REGION", "AWS_DEFAULT_REGION")
        region = next((settings[name] for name in names if settings.get(name)), DEFAULT_REGION)
        trouble: ClientError | None = None
        # The console's port comes first among the links; the API's is most often this one.
        for _, url in sorted((await place.urls()).items(), key=lambda item: item[0] != 9000):
            client = ObjectStoreClient(url, *((login.user, login.password) if login else ()), region=region)
            try:
                if login:
                    await client.buckets()
                    return client
                if await client.is_live():
                    await client.close()
                    return "live; what it holds takes credentials"
            except ClientError as error:
                trouble = trouble if trouble and trouble.kind is Trouble.STATUS else error
            await client.close()
        if trouble is None:
            return ""
        # A console answers 400 to the questions of the store.
        if trouble.kind is Trouble.ANSWER or trouble.status == 400:
            return "unknown: no port that is published speaks S3"
        raise trouble


class Airflow(Asker):
    """`healthy · train success 2 min ago`."""

    async def line(self) -> str:
        """Its components and its newest run."""
        if not isinstance(self._client, AirflowClient):
            url = next(iter((await self.place.urls()).values()), None)
            if url is None:
                return ""
            self._client = AirflowClient(url)
        client = self._client
        try:
            health = health_text(await client.health())
        except ClientError as error:
            if error.status == 404:
                # Another scheduler.
                return ""
            raise
        return f"{health} · {await self._last_run(client)}" if client.has_runs else health

    async def _last_run(self, client: AirflowClient) -> str:
        try:
            if not client.logged_in:
                login = await login_of(self.place.engine, self.place.stack, self.place.replica)
                if login is None:
                    return "last run unknown: no login is known"
                await client.log_in(login.user, login.password)
            return dag_run_text(await client.last_run(), datetime.now(UTC))
        except ClientError as error:
            if error.status in (401, 403):
                # The token is too old, or Airflow was set up anew.
                client.log_out()
            return f"last run unknown: {trouble_text(error)}"


class Mlflow(Asker):
    """`2 experiments · last run train-12 finished 3 min ago · wind-power champion v3`."""

    seconds = 10.0

    async def line(self) -> str:
        """Its experiments, newest run, champions."""
        if not isinstance(self._client, MlflowClient):
            url = next(iter((await self.place.urls()).values()), None)
            if url is None:
                return ""
            self._client = MlflowClient(url)
        experiments = await self._client.experiments(EXPERIMENTS)
        runs = await self._client.runs([one.experiment_id for one in experiments], max_results=1)
        try:
            aliases = await self._client.aliases()
        except ClientError:
            # A server may have no registry.
            aliases = ()
        return mlflow_text(len(experiments), runs, aliases, datetime.now(UTC))


class Application(Asker):
    """`healthy: /health 200`."""

    seconds = 15.0

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        self._path = ""

    async def line(self) -> str:
        """The status of the path where it says how it is."""
        if isinstance(self._client, ApplicationClient) and self._path:
            return status_text(self._path, await self._client.status(self._path))
        urls = await self.place.urls()
        service = self.place.project.services[self.place.replica.service]
        known = health_url(service.health_test)
        url = urls.get(known[0] or 0) if known else None
        url = url or next(iter(urls.values()), None)
        if url is None:
            return ""
        await self.close()
        self._client = client = ApplicationClient(url)
        status = 0
        for path in dict.fromkeys([*([known[1]] if known else []), *USUAL_PATHS]):
            status = await client.status(path)
            # A health check may ask somebody else: then its path is not known here.
            if status < 400 or status >= 500 or (known and path == known[1] and status != 404):
                self._path = path
                return status_text(path, status)
        return f"unknown: no health path answers (/ {status})"


ASKERS: dict[Role, type[Asker]] = {
    Role.OBJECT_STORE: ObjectStore,
    Role.SCHEDULER: Airflow,
    Role.MLFLOW: Mlflow,
    Role.APP: Application,
}


def trouble_text(error: ClientError) -> str:
    """A failed question in few words."""
    if error.kind is Trouble.STATUS:
        return f"it answers with status {error.status}"
    if error.kind in (Trouble.ANSWER, Trouble.TOO_LARGE):
        return "its answer is not understood"
    return "it does not answer"


def contents_text(found: Contents) -> str:
    """What an object store holds."""
    more = "+" if found.more else ""
    parts = [_count(found.buckets, "bucket"), _count(found.objects, "object", more), f"{size(found.size)}{more}"]
    return " · ".join(parts)


def health_text(components: dict[str, str]) -> str:
    """`healthy`, or which components are not."""
    sick = [f"{name} {plain(status, NAME)}" for name, status in components.items() if status != "healthy"]
    return ", ".join(sick) or "healthy"


def dag_run_text(run: DagRun | None, now: datetime) -> str:
    """The newest DAG run."""
    if run is None:
        return "no DAG run yet"
    return f"{plain(run.dag_id, NAME)} {plain(run.state, NAME)}{_when(run.start_date, run.end_date, now)}"


def mlflow_text(experiments: int, runs: Sequence[MlflowRun], aliases: Sequence[ModelAlias], now: datetime) -> str:
    """Experiments, newest run, champions; where no model has one, what aliases there are."""
    parts = [_count(experiments, "experiment", "+" if experiments >= EXPERIMENTS else "")]
    for run in runs[:1]:
        info = run.info
        name = plain(info.run_name or info.run_id, NAME)
        parts.append(f"last run {name} {plain(info.status, NAME).lower()}{_when(info.started_at, info.ended_at, now)}")
    if not runs:
        parts.append("no run yet")
    champions = [one for one in aliases if one.alias == CHAMPION] or list(aliases)
    parts += [f"{plain(one.model, NAME)} {plain(one.alias, NAME)} v{plain(one.version, 10)}" for one in champions[:2]]
    if len(champions) > 2:
        parts.append(f"{len(champions) - 2} more")
    return " · ".join(parts)


def status_text(path: str, status: int) -> str:
    """Whether an application is well by its own word."""
    return f"{'healthy' if status < 400 else 'not well'}: {plain(path, 60)} {status}"


def _when(began: datetime | None, ended: datetime | None, now: datetime) -> str:
    if ended is not None:
        return f" {ago((now - ended).total_seconds())}"
    # The answer is some seconds old when it is read: a time is true longer than how long ago it was.
    return f" since {moment(began, now)}" if began is not None else ""


def _count(number: int, noun: str, more: str = "") -> str:
    return f"{number:,}{more} {noun}{'' if number == 1 and not more else 's'}"
