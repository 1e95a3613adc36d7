"""MLflow: where a stack's servers are, what they have, and that in a line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime

from tui.clients.http import ClientError
from tui.clients.mlflow import MlflowClient, MlflowRun, ModelAlias, ModelVersion
from tui.clients.text import plain
from tui.engine.interface import Address, NoWay, Reach, Replica
from tui.stack.model import Project, Role, Stack
from tui.watch.links import page_of
from tui.watch.roles.kind import NAME, Asker, Watched, when
from tui.watch.words import count

CHAMPION = "champion"
# More experiments than these are not counted.
EXPERIMENTS = 1000


@dataclass(frozen=True, slots=True)
class Recorded:
    """What a server has: its newest runs, the experiments' names by id, the registered models by the run's id."""

    runs: Sequence[MlflowRun] = ()
    experiments: Mapping[str, str] = field(default_factory=dict)
    models: Mapping[str, Sequence[ModelVersion]] = field(default_factory=dict)


async def mlflow_urls(
    engine: Reach, stack: Stack, project: Project, replicas: Sequence[Replica]
) -> dict[str, str | NoWay]:
    """The address of each MLflow service, or why there is none, by service. Raises EngineError."""
    found: dict[str, str | NoWay] = {}
    for name in stack.with_role(project, Role.MLFLOW):
        ports = [link.port for link in stack.layout.service(name).links]
        ports = ports or [port.target for port in project.services[name].ports]
        for port in ports:
            page = await page_of(engine, replicas, name, port)
            found[name] = page.url if isinstance(page, Address) else page
            if isinstance(page, Address):
                break
    return found


async def recorded(url: str, newest: int) -> Recorded:
    """What the server there has, of its runs the `newest`, the newest first. Raises ClientError."""
    async with MlflowClient(url) as client:
        experiments = {one.experiment_id: one.name for one in await client.experiments()}
        runs = await client.runs(list(experiments), max_results=newest)
        models: dict[str, list[ModelVersion]] = {}
        # A server may have no registry.
        with suppress(ClientError):
            for version in await client.model_versions():
                models.setdefault(version.run_id, []).append(version)
    return Recorded(runs, experiments, models)


class Mlflow(Asker):
    """`2 experiments · last run train-12 finished 3 min ago · wind-power champion v3`."""

    seconds = 10.0

    async def line(self) -> str:
        """Its experiments, newest run, champions."""
        if not isinstance(self._client, MlflowClient):
            url = await self.target.url()
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


def mlflow_text(experiments: int, runs: Sequence[MlflowRun], aliases: Sequence[ModelAlias], now: datetime) -> str:
    """Experiments, newest run, champions; where no model has one, what aliases there are."""
    parts = [count(experiments, "experiment", "+" if experiments >= EXPERIMENTS else "")]
    for run in runs[:1]:
        info = run.info
        name = plain(info.run_name or info.run_id, NAME)
        parts.append(f"last run {name} {plain(info.status, NAME).lower()}{when(info.started_at, info.ended_at, now)}")
    if not runs:
        parts.append("no run yet")
    champions = [one for one in aliases if one.alias == CHAMPION] or list(aliases)
    parts += [f"{plain(one.model, NAME)} {plain(one.alias, NAME)} v{plain(one.version, 10)}" for one in champions[:2]]
    if len(champions) > 2:
        parts.append(f"{len(champions) - 2} more")
    return " · ".join(parts)


WATCHED = Watched(Mlflow)
