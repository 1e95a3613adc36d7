"""Starting one-off runs: a service's settings with another command."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Mapping, Sequence
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
    # Here a file is where it is.
    taken = {seen: str(file) for file, seen in request.files.items()}

    def words(given: Sequence[str]) -> tuple[str, ...]:
        found = plan.arguments(request.service, given)
        return tuple(_with(taken, word) for word in found)

    spec = Spec(
        id=uuid.uuid4().hex,
        name=request.name,
        service=request.service,
        number=0,
        command=(
            *(words(request.command) or service.command),
            *words(request.arguments),
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


def _with(taken: Mapping[str, str], word: str) -> str:
    for seen, file in taken.items():
        word = word.replace(seen, file)
    return word
