"""Starting and ending keepers."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import tui
from tui.engine.interface import EngineError, Progress, Replica
from tui.engine.process.identity import KEEPER, is_same
from tui.engine.process.keeper import MARKER
from tui.engine.process.state import CREATED, ENDED, read_json, tell, write_json
from tui.engine.process.store import Store
from tui.engine.process.tree import end_marked
from tui.engine.process.watcher import Watcher, heard

# Without site: a keeper needs the standard library and us, and is small.
_KEEPER = "import sys; sys.path.insert(0, sys.argv.pop(1)); from tui.engine.process.keeper import main; main()"
_ROOT = str(Path(tui.__file__).parents[1]) if tui.__file__ else ""
START_SECONDS = 60.0


async def launch(folder: Path, store: Store, watcher: Watcher) -> None:
    """Starts a replica's keeper; returns once its process runs, or has ended. Raises EngineError.

    One that runs is left as it is.
    """
    spec, state = store.spec(folder), store.state(folder)
    before = state.get("started_at")
    if state.get("state") not in (CREATED, ENDED):
        return
    if state.get("state") == ENDED:
        # What outlived its keeper could hold its ports.
        await asyncio.to_thread(end_marked, {spec["id"]})
    (folder / "stop.json").unlink(missing_ok=True)
    # Whoever starts us may belong to a replica himself; a keeper does not.
    environment = {name: value for name, value in os.environ.items() if name != MARKER}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", "-S", "-c", _KEEPER, _ROOT, str(folder)),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        env={**environment, KEEPER: "1"},
        cwd="/",
    )
    said = b""
    if process.stderr is not None:
        said = await process.stderr.read()
    if await process.wait() != 0:
        raise EngineError(f"{folder.name} could not be started: {said.decode(errors='replace').strip()[-500:]}")
    try:
        async with asyncio.timeout(START_SECONDS):
            while True:
                bell = watcher.bell()
                state = read_json(folder / "state.json") or {}
                if state.get("started_at") != before and state.get("state") != CREATED:
                    return
                await heard(bell)
    except TimeoutError:
        raise EngineError(
            f"{folder.name} was not started within {START_SECONDS:.0f} s: its keeper wrote nothing to {folder}. "
            "Is the disk full, or the machine overloaded? Then: sparkdeck up"
        ) from None


async def stop(folder: Path, store: Store, watcher: Watcher, grace: float | None = None) -> None:
    """Ends a replica with all that belongs to it: politely, then by force. One that has ended is left as it is."""
    spec = store.spec(folder)
    state = store.state(folder)
    if state.get("state") != ENDED:
        seconds = float(spec["grace"] if grace is None else grace)
        if is_same(state.get("keeper"), state.get("keeper_start")):
            with suppress(OSError):
                # On a full disk the replica's own grace counts.
                write_json(folder / "stop.json", {"grace": seconds})
            with suppress(ProcessLookupError):
                os.kill(state["keeper"], signal.SIGTERM)
            await _until_ended(folder, store, watcher, seconds + 10)
            seconds = 0.0
        await asyncio.to_thread(_end_rest, folder, spec, state, seconds)
        watcher.ring()


async def _until_ended(folder: Path, store: Store, watcher: Watcher, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            while True:
                bell = watcher.bell()
                state = store.state(folder)
                gone = not is_same(state.get("keeper"), state.get("keeper_start"))
                if state.get("state") == ENDED and gone:
                    return
                await heard(bell)
    except TimeoutError:
        return


def _end_rest(folder: Path, spec: dict[str, Any], state: dict[str, Any], grace: float) -> None:
    """What a keeper that was killed, or hangs, has left."""
    if is_same(state.get("keeper"), state.get("keeper_start")):
        with suppress(ProcessLookupError):
            os.kill(state["keeper"], signal.SIGKILL)
    end_marked({spec["id"]}, grace=grace)
    known = read_json(folder / "state.json") or {}
    if known.get("state") != ENDED:
        # How it ended nobody saw.
        known |= {"state": ENDED, "keeper": None, "child": None, "exit_code": None, "health": "none"}
        with suppress(OSError):
            write_json(folder / "state.json", {**known, "ended_at": time.time()})
        tell(folder.parent.parent, "ended", spec["service"], spec["id"], "exit code unknown")


async def remove_all(replicas: Sequence[Replica], store: Store, watcher: Watcher) -> AsyncGenerator[Progress]:
    """Ends replicas and removes what is kept of them."""
    folders = [store.folder / "replicas" / one.name for one in replicas]
    for one in replicas:
        yield Progress(f"Container {one.name}  Stopping")
    await asyncio.gather(*(stop(folder, store, watcher) for folder in folders))
    # Also what outlived its keeper.
    await asyncio.to_thread(end_marked, {one.id for one in replicas})
    for one, folder in zip(replicas, folders, strict=True):
        tell(store.folder, "removed", one.service, one.id)
        await asyncio.to_thread(store.remove, folder)
        yield Progress(f"Container {one.name}  Removed")
    watcher.ring()
