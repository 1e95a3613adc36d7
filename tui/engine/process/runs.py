"""Starting one-off runs: a service's settings with another command."""

from __future__ import annotations

import asyncio
import uuid
from datetime import UTC, datetime
from pathlib import Path

from tui.engine.interface import EngineError, RunRequest
from tui.engine.process import launch
from tui.engine.process.plan import Plan
from tui.engine.process.ports import Ports
from tui.engine.process.spec import Spec
from tui.engine.process.state import tell
from tui.engine.process.store import Store, writing
from tui.engine.process.watcher import Watcher


async def start_run(plan: Plan, folder: Path, store: Store, watcher: Watcher, request: RunRequest) -> str:
    """Starts a run and returns its id; one that cannot be started leaves nothing behind. Raises EngineError.

    `folder` is the stack's private one.
    """
    ports = Ports(folder)
    service = plan.service(request.service, ports.of(request.service, 1), ports.all_first())
    spec = Spec(
        id=uuid.uuid4().hex,
        name=request.name,
        service=request.service,
        number=0,
        command=(
            *(plan.arguments(request.service, request.command) or service.command),
            *plan.arguments(request.service, request.arguments),
        ),
        environment={**service.environment, **request.env},
        folder=service.folder,
        labels={"run": request.name, **request.labels},
        created_at=datetime.now(UTC).isoformat(),
    )
    try:
        with writing(folder):
            place = await asyncio.to_thread(store.add, spec)
    except FileExistsError:
        raise EngineError(f"There is a run {request.name} already") from None
    tell(folder, "created", spec.service, spec.id)
    try:
        await launch.launch(place, store, watcher)
        state = store.state(place)
        if state.get("exit_code") == 127 and not state.get("child"):
            raise EngineError(f"{spec.command[0]} cannot be started: is it installed?")
    except BaseException:
        await launch.stop(place, store, watcher, 0)
        await asyncio.to_thread(store.remove, place)
        raise
    return spec.id
