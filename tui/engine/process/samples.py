"""What replicas use: a pass a second over all process trees that somebody looks at, in one thread."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime

import psutil

from tui.engine.interface import Sample
from tui.engine.process.identity import families
from tui.engine.process.tree import family

# For so long who belongs to whom is taken as known.
PASS_SECONDS = 0.5
MEMORY_IS = (
    "as proportional set size: what processes share counts in part"
    if sys.platform == "linux"
    else "as unique set size: what processes share does not count"
)


@dataclass(slots=True)
class _Tree:
    """What is remembered of a replica's processes between two passes."""

    at: float = 0.0
    cpu: dict[tuple[int, float], float] = field(default_factory=dict)
    disk: dict[tuple[int, float], tuple[int, int]] = field(default_factory=dict)
    read: int = 0
    written: int = 0


class Sampler:
    """CPU in percent of one core. Memory is the proportional set (Linux) or the unique set (elsewhere) of the tree.

    Disk counts what the processes that were seen asked of the disk. Network of processes is not known.
    """

    def __init__(self) -> None:
        self._trees: dict[str, _Tree] = {}
        self._children: dict[int, list[int]] = {}
        self._looked_at = -PASS_SECONDS
        self._lock = threading.Lock()

    def children(self, pid: int) -> list[int]:
        """A process's children; who belongs to whom is looked up once for all replicas. Takes milliseconds."""
        with self._lock:
            if time.monotonic() - self._looked_at >= PASS_SECONDS:
                self._children, self._looked_at = families(), time.monotonic()
            return self._children.get(pid, [])

    def family(self, roots: Sequence[int]) -> list[psutil.Process]:
        """These processes and all below them, each once."""
        self.children(0)
        return family(roots, self._children)

    def forget(self, replica_id: str) -> None:
        """Nobody looks at it any more."""
        self._trees.pop(replica_id, None)

    def sample(self, replica_id: str, roots: Sequence[int]) -> Sample | None:
        """A sample of the processes below and including these; None if there are none. Takes milliseconds."""
        processes = self.family(roots)
        if not processes:
            return None
        tree = self._trees.setdefault(replica_id, _Tree())
        now = datetime.now(UTC)
        seconds = now.timestamp() - tree.at if tree.at else None
        cpu, disk, memory, used = {}, {}, 0, 0.0
        disk_known = True
        for process in processes:
            with suppress(psutil.Error, OSError):
                key = (process.pid, process.create_time())
                times = process.cpu_times()
                cpu[key] = times.user + times.system
                used += cpu[key] - tree.cpu.get(key, 0.0)
                memory += _memory(process)
                try:
                    counters = process.io_counters()
                    disk[key] = (counters.read_bytes, counters.write_bytes)
                    before = tree.disk.get(key, (0, 0))
                    tree.read += max(0, disk[key][0] - before[0])
                    tree.written += max(0, disk[key][1] - before[1])
                except psutil.NoSuchProcess:
                    pass
                except (AttributeError, psutil.Error):
                    disk_known = False
        tree.cpu, tree.disk, tree.at = cpu, disk, now.timestamp()
        return Sample(
            replica_id=replica_id,
            at=now,
            cpu_percent=max(0.0, used / seconds * 100) if seconds and cpu else None,
            memory=memory if cpu else None,
            memory_limit=None,
            network_received=None,
            network_sent=None,
            disk_read=tree.read if disk and disk_known else None,
            disk_written=tree.written if disk and disk_known else None,
            processes=len(processes),
        )


def _memory(process: psutil.Process) -> int:
    try:
        full = process.memory_full_info()
    except (psutil.Error, OSError):
        return int(process.memory_info().rss)
    return int(full.pss if sys.platform == "linux" else full.uss)
