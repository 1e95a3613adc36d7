"""One sample of each replica, for those who do not stay to watch."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import aclosing

from tui.engine.interface import Engine, EngineError, Replica, Sample, State


async def sample_all(engine: Engine, replicas: Sequence[Replica], *, timeout: float = 5) -> dict[str, Sample]:
    """A sample of each running replica, by its id; without one that did not answer in time (seconds).

    CPU needs two readings, so this takes a good second however many replicas there are.
    """

    async def sample(replica: Replica) -> Sample | None:
        last: Sample | None = None
        try:
            async with asyncio.timeout(timeout), aclosing(engine.stats(replica.id)) as stream:
                async for last in stream:
                    if last.cpu_percent is not None:
                        return last
        except (EngineError, TimeoutError):
            return last
        return last

    running = [replica for replica in replicas if replica.state is State.RUNNING]
    samples = await asyncio.gather(*(sample(replica) for replica in running))
    return {entry.replica_id: entry for entry in samples if entry is not None}
