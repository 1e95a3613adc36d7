"""Every check of a running stack."""

from __future__ import annotations

import asyncio

from tui.checks.disk import check_disk
from tui.checks.down import check_down
from tui.checks.finding import Finding
from tui.checks.history import check_history
from tui.checks.mlflow import check_mlflow
from tui.checks.moment import check_moment
from tui.checks.ports import check_ports
from tui.checks.situation import Situation
from tui.engine.interface import Engine, State


async def check_everything(engine: Engine, now: Situation) -> list[Finding]:
    """All checks; those that ask somebody else beside each other. Raises EngineError."""
    found = check_moment(now)
    up = {replica.service for replica in now.replicas if replica.state is State.RUNNING}
    down = [name for name, service in now.project.services.items() if name not in up and not service.profiles]
    ports, here, mlflow = await asyncio.gather(
        check_ports(engine, now.stack, now.project, down) if down else _nothing(),
        asyncio.to_thread(lambda: [*check_disk(now), *check_history()]),
        check_mlflow(engine, now),
    )
    found += [*ports, *here, *mlflow]
    return [*found, *check_down(now, {finding.service for finding in found})]


async def _nothing() -> list[Finding]:
    return []
