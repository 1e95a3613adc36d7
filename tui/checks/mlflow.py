"""MLflow: does it serve, and does it wait for runs whose client died?"""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta

from tui.checks.finding import Finding
from tui.checks.situation import Situation
from tui.clients.http import ClientError
from tui.clients.mlflow import RUN_TAG, MlflowClient, MlflowRun
from tui.clients.text import plain
from tui.engine.interface import Health, NoWay, Reach, State
from tui.watch.roles.mlflow import mlflow_urls

# A run that nobody ends is RUNNING for ever; one of ours is known to have ended, another is given this long.
STALE = timedelta(hours=12)
NEWEST = 100


def is_stale(run: MlflowRun, running: set[str], now: datetime) -> bool:
    """Whether a run that calls itself RUNNING cannot be: `running` are the ids of the job runs that go on."""
    if run.info.status != "RUNNING":
        return False
    ours = run.tags.get(RUN_TAG)
    if ours:
        return ours not in running
    return run.info.started_at is not None and now - run.info.started_at > STALE


async def check_mlflow(engine: Reach, now: Situation) -> list[Finding]:
    """Asks each MLflow service that runs."""
    running = {one.labels["run"] for one in now.replicas if one.is_run and one.state is State.RUNNING}
    found = []
    for service, url in (await mlflow_urls(engine, now.stack, now.project, now.replicas)).items():
        health = next((one.health for one in now.replicas if one.service == service and not one.is_run), Health.NONE)
        if isinstance(url, NoWay) or health is Health.STARTING:
            continue
        async with MlflowClient(url) as client:
            try:
                await client.experiments(1)
            except ClientError as error:
                found.append(Finding(f"{service} runs, but its API does not answer: {error}", _logs(service), service))
                continue
            with suppress(ClientError):
                runs = await client.runs(max_results=NEWEST)
                stale = [run for run in runs if is_stale(run, running, datetime.now(UTC))]
                for run in stale[:3]:
                    found.append(
                        Finding(
                            f"The MLflow run {plain(run.info.run_name or run.info.run_id, 60)} says RUNNING, but what "
                            "logged it is gone.",
                            "Set its status in MLflow, or delete it there.",
                            service,
                        )
                    )
    return found


def _logs(service: str) -> str:
    return f"Why: sparkdeck logs {service}"
