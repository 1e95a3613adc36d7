"""How long the real flight-delay stack takes from `up` to four registered workers and an MLflow that answers."""

from __future__ import annotations

import asyncio
import os
import subprocess
import tempfile
import time
from pathlib import Path

from tests.real.deck import copy_out, flight_delay_settings
from tui.engine.choose import EngineKind

SERVICES = ("spark-master", *(f"spark-worker-{number}" for number in (1, 2, 3, 4)), "mlflow")
# As it was before other scenarios named an engine of their own.
ENVIRONMENT = dict(os.environ)


async def starts() -> list[str]:
    """A line for each engine; Docker's images are built before the clock runs."""
    return [await asyncio.to_thread(_start, kind) for kind in (EngineKind.DOCKER, EngineKind.PROCESS)]


def _start(kind: EngineKind) -> str:
    name = f"`up` to four registered workers and MLflow answering, {kind}"
    with tempfile.TemporaryDirectory(prefix="sparkdeck-bench-") as folder:
        deck = copy_out("flight-delay", Path(folder) / "stack", flight_delay_settings(f"bench-{kind}"))
        env = {**ENVIRONMENT, "SPARKDECK_ENGINE": str(kind), "XDG_STATE_HOME": f"{folder}/state"}

        def run(*words: str) -> subprocess.CompletedProcess[str]:
            return subprocess.run(deck.command(*words), env=env, capture_output=True, text=True, timeout=900)

        try:
            if kind is EngineKind.DOCKER:
                if (first := run("up", *SERVICES)).returncode:
                    return f"{name}: not measured: {first.stderr.strip().splitlines()[-1]}"
                run("down", "--yes")
            began = time.monotonic()
            done = run("up", *SERVICES)
            took = time.monotonic() - began
            well = done.returncode == 0 and "4 workers registered" in done.stderr
            return f"{name}: {took:.1f} s" if well else f"{name}: it failed: {done.stderr[-300:]}"
        finally:
            run("down", "--yes")
