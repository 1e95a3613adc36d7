"""Healthy is not yet useful: waiting until the Spark master knows every worker."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator

from tui.engine.interface import Engine
from tui.stack.model import Project, Stack
from tui.watch.cluster import Workers, master_state, running_workers
from tui.watch.links import master_url
from tui.watch.ready import NotReady, Step

# How long healthy workers may take to register with their master, in seconds; measured: 1 to 3.
REGISTRATION = 60.0
LOOK_SECONDS = 0.5


async def registered(engine: Engine, stack: Stack, project: Project, count: int | None = None) -> AsyncGenerator[Step]:
    """Waits until every running worker is registered, and with `count` so many in all.

    Nothing where no Spark master runs, unless a count is asked for. Raises NotReady when it takes too long; what cannot
    be told is said, and is no failure.
    """
    began = time.monotonic()
    workers = Workers(engine, stack, project)
    while True:
        replicas = await engine.replicas()
        if count is None and await master_url(engine, stack, project, replicas) is None:
            return
        cluster = await workers.ask(replicas, await master_state(engine, stack, project, replicas))
        alive = len(cluster.state.alive_workers()) if cluster.state else None
        seconds = time.monotonic() - began
        if alive is not None and not cluster.missing and count in (None, alive):
            # As many as could be theirs.
            all_there = alive >= len(running_workers(stack, replicas))
            if all_there or seconds > REGISTRATION:
                text = f"{alive} workers registered" if alive != 1 else "1 worker registered"
                unclear = [replica.name for replica in replicas if replica.id in cluster.unclear]
                if unclear:
                    text += f"; whether {', '.join(unclear)} are among them cannot be told"
                yield Step("spark cluster", text, seconds, ready=True)
                return
        if seconds > REGISTRATION:
            missing = [replica.name for replica in replicas if replica.id in cluster.missing]
            raise NotReady(_why(missing, alive, count, seconds))
        await asyncio.sleep(LOOK_SECONDS)


def _why(missing: list[str], alive: int | None, count: int | None, seconds: float) -> str:
    if alive is None:
        return f"the Spark master does not answer after {seconds:.0f} s; its log says why"
    if missing:
        names = ", ".join(missing)
        return f"healthy, but not registered with the Spark master after {seconds:.0f} s: {names}; their logs say why"
    return f"The Spark master should have {count} workers; it knows {alive}. See: sparkdeck status"
