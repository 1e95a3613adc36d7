"""Samples: one of each replica for those who do not stay, and the history that a pane shows."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Sequence
from contextlib import aclosing
from itertools import islice
from typing import TypeVar

from tui.engine.interface import Engine, EngineError, Replica, Sample, State

T = TypeVar("T")

# Ten minutes at one a second.
HISTORY = 600
Rates = tuple[float | None, float | None, float | None, float | None]


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


class Samples:
    """A pane's samples, newest last, bounded; rates in bytes a second from consecutive samples, None if unknown."""

    def __init__(self) -> None:
        self._cpu: deque[float | None] = deque(maxlen=HISTORY)
        self._memory: deque[int | None] = deque(maxlen=HISTORY)
        self._before: Sample | None = None
        self._latest: Sample | None = None
        self._at = 0.0
        self.total = 0

    @property
    def latest(self) -> Sample | None:
        """The newest sample, whatever its age; None before the first and once the replica has ended."""
        return self._latest

    @property
    def age_seconds(self) -> float | None:
        """Seconds since the newest sample came."""
        return None if self._latest is None else time.monotonic() - self._at

    def cpu(self, count: int) -> Sequence[float | None]:
        """The newest CPU values, at most `count`."""
        return _last(self._cpu, count)

    def memory(self, count: int) -> Sequence[int | None]:
        """The newest memory values, at most `count`."""
        return _last(self._memory, count)

    def rates(self) -> Rates:
        """Network received and sent, disk read and written."""
        now, before = self._latest, self._before
        if now is None or before is None or now.replica_id != before.replica_id:
            return None, None, None, None
        seconds = (now.at - before.at).total_seconds()

        def rate(new: int | None, old: int | None) -> float | None:
            # Less than before: counted anew since a restart.
            return None if new is None or old is None or seconds <= 0 or new < old else (new - old) / seconds

        return (
            rate(now.network_received, before.network_received),
            rate(now.network_sent, before.network_sent),
            rate(now.disk_read, before.disk_read),
            rate(now.disk_written, before.disk_written),
        )

    def push(self, sample: Sample) -> None:
        """A new sample."""
        self._before, self._latest = self._latest, sample
        self._at = time.monotonic()
        self._cpu.append(sample.cpu_percent)
        self._memory.append(sample.memory)
        self.total += 1

    def stop(self) -> None:
        """The replica has ended, or nobody looks: nothing is known of it now, its history stays."""
        if self._latest is not None:
            self._before = self._latest = None
            self.total += 1


def _last(values: deque[T], count: int) -> list[T]:
    return list(islice(values, max(0, len(values) - count), None))
