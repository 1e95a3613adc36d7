"""Healthy is not yet useful: waiting until the Spark master knows every worker."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator

from tui.engine.interface import Engine
from tui.stack.model import Project, Role, Stack
from tui.watch.cluster import Workers, master_state, running_workers
from tui.watch.links import master_url
from tui.watch.ready import NotReady, Step, not_ready

# How long healthy workers may take to register with their master, in seconds; measured: 1 to 3.
REGISTRATION = 60.0
LOOK_SECONDS = 0.5


async def registered(
    engine: Engine, stack: Stack, project: Project, count: int | None = None, *, timeout: float | None = None
) -> AsyncGenerator[Step]:
    """Waits until every running worker is registered, and with `count` so many in all; `timeout` in seconds, else
    REGISTRATION.

    Nothing where no Spark master runs, unless a count is asked for. Raises NotReady when it takes too long; what cannot
    be told is said, and is no failure.
    """
    limit = REGISTRATION if timeout is None else timeout
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
            if all_there or seconds > min(limit, REGISTRATION):
                text = f"{alive} workers registered" if alive != 1 else "1 worker registered"
                unclear = [replica.name for replica in replicas if replica.id in cluster.unclear]
                if unclear:
                    text += f"; whether {', '.join(unclear)} are among them cannot be told"
                yield Step("spark cluster", text, seconds, ready=True)
                return
        if seconds > limit:
            masters = stack.with_role(project, Role.SPARK_MASTER) if alive is None else []
            silent = [one for one in replicas if one.service in masters]
            missing = [one for one in replicas if one.id in cluster.missing]
            if not silent and not missing:
                known = "does not answer" if alive is None else f"knows {alive}"
                raise NotReady(f"The Spark master should have {count} workers; it {known}. See: sparkdeck status")
            what = "the Spark master does not answer" if silent else "not registered with the Spark master"
            word = f"{what} after {seconds:.0f} s"
            failed = silent or missing
            steps = [Step(one.name, word, seconds, detail=f"sparkdeck logs {one.service}", last=one) for one in failed]
            raise await not_ready(engine, steps)
        await asyncio.sleep(LOOK_SECONDS)
