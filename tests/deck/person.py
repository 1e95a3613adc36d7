"""A deck in a real terminal on a scripted engine that lives: `python -m tests.deck.person`, for tests with a terminal.

The shell of its services can be given as argument; then much happens, and messages come and go.
"""

from __future__ import annotations

import asyncio
import math
import sys

from textual.notifications import Notify

from tests.deck.fakes import layout_stack
from tests.deck.harness import scripted
from tests.scripted_engine import ScriptedEngine
from tui.deck.app import DeckApp, Said
from tui.deck.desk import Desk
from tui.deck.settings import Settings
from tui.engine.interface import Engine
from tui.stack.model import Stack

GIB = 1024**3


async def live(engine: ScriptedEngine) -> None:
    """A sample and a line a second from everything that runs."""
    second = 0
    while True:
        second += 1
        for place, replica in enumerate(await engine.replicas()):
            engine.sample(
                replica,
                cpu_percent=50 + 45 * math.sin(second / 5 + place),
                memory=300_000_000 + 10_000_000 * place,
                memory_limit=2 * GIB,
                network_received=second * 1000 * place,
                network_sent=second * 700,
                disk_read=0,
                disk_written=second * 4096,
                processes=20 + place,
            )
            engine.write(replica, f"26/11/21 12:00:{second % 60:02d} INFO Worker: line {second} of {replica.name}")
        await asyncio.sleep(1)


async def chat(app: DeckApp, engine: ScriptedEngine) -> None:
    """Lines and messages, many a second."""
    while True:
        app.post_message(Notify(Said("some news", timeout=0.05)))
        for replica in await engine.replicas():
            engine.write(replica, "26/11/21 12:00:00 INFO Worker: one line of many")
        await asyncio.sleep(0.02)


def main(shell: str = "") -> int:
    """Runs until it is left; the exit code."""
    engine = scripted()
    engine.shell = ["sh", "-c", shell or "echo you are inside; read answer; echo bye"]
    lives: list[asyncio.Task[None]] = []

    async def open_engine(stack: Stack) -> Engine:
        lives.append(asyncio.create_task(live(engine)))
        if shell:
            lives.append(asyncio.create_task(chat(app, engine)))
        return engine

    app = DeckApp(Desk(layout_stack(), open_engine), Settings())
    app.run()
    return app.return_code or 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
