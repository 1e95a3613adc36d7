"""A Spark worker, by its master's word."""

from __future__ import annotations

from tui.engine.interface import Replica
from tui.watch.cluster import Cluster
from tui.watch.roles.kind import Watched, part_of
from tui.watch.words import NOT_REGISTERED


def worker_line(replica: Replica, cluster: Cluster) -> str:
    """Its cores and memory; empty where the master says nothing."""
    if replica.id in cluster.unclear:
        return "unknown: which of the master's workers it is cannot be told"
    worker = cluster.workers.get(replica.id)
    if worker is None or not worker.is_alive:
        return NOT_REGISTERED if cluster.registered(replica) is False else ""
    return f"{worker.cores_used} of {worker.cores} cores, {part_of(worker.memory_used, worker.memory)}"


WATCHED = Watched(line=worker_line)
