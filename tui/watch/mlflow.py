"""A stack's MLflow servers: where they are, and what they have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from tui.clients.http import ClientError
from tui.clients.mlflow import MlflowClient, MlflowRun, ModelVersion
from tui.engine.interface import Address, NoWay, Reach, Replica
from tui.stack.model import Project, Role, Stack
from tui.watch.links import page_of


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
        assert stack.layout is not None
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
