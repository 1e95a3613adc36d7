"""Starting and ending keepers."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Any

import tui
from tui.engine.interface import EngineError
from tui.engine.process.identity import is_same
from tui.engine.process.state import ENDED, RUNNING, read_json, write_json
from tui.engine.process.store import Store
from tui.engine.process.tree import end_marked
from tui.engine.process.watcher import Watcher, heard

# Without site: a keeper needs the standard library and us, and is small.
_KEEPER = "import sys; sys.path.insert(0, sys.argv.pop(1)); from tui.engine.process.keeper import main; main()"
_ROOT = str(Path(tui.__file__).parents[1]) if tui.__file__ else ""
START_SECONDS = 15.0


async def launch(folder: Path, watcher: Watcher) -> None:
    """Starts a replica's keeper; returns once its process runs, or has ended. Raises EngineError."""
    (folder / "stop.json").unlink(missing_ok=True)
    before = (read_json(folder / "state.json") or {}).get("started_at")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", "-S", "-c", _KEEPER, _ROOT, str(folder)),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        cwd="/",
    )
    said = b""
    if process.stderr is not None:
        said = await process.stderr.read()
    if await process.wait() != 0:
        raise EngineError(f"{folder.name} could not be started: {said.decode(errors='replace').strip()[-500:]}")
    async with asyncio.timeout(START_SECONDS):
        while True:
            bell = watcher.bell()
            state = read_json(folder / "state.json") or {}
            if state.get("started_at") != before and state.get("state") in (RUNNING, ENDED):
                return
            await heard(bell)


async def stop(folder: Path, store: Store, watcher: Watcher, grace: float | None = None) -> None:
    """Ends a replica with all that belongs to it: politely, then by force. One that has ended is left as it is."""
    spec = store.spec(folder)
    state = store.state(folder)
    if state.get("state") != ENDED:
        seconds = float(spec["grace"] if grace is None else grace)
        if is_same(state.get("keeper"), state.get("keeper_start")):
            write_json(folder / "stop.json", {"grace": seconds})
            os.kill(state["keeper"], signal.SIGTERM)
            await _until_ended(folder, store, watcher, seconds + 10)
        await asyncio.to_thread(_end_by_force, folder, store, spec, state)
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


def _end_by_force(folder: Path, store: Store, spec: dict[str, Any], state: dict[str, Any]) -> None:
    """What a keeper that was killed, or hangs, has left."""
    if is_same(state.get("keeper"), state.get("keeper_start")):
        os.kill(state["keeper"], signal.SIGKILL)
    end_marked({spec["id"]}, grace=0.0)
    now = store.state(folder)
    if now.get("state") != ENDED:
        write_json(folder / "state.json", {**now, "state": ENDED, "keeper": None, "child": None})
