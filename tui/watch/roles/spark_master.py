"""A Spark master, by its own word."""

from __future__ import annotations

from tui.clients.spark_master import WAITING
from tui.clients.text import plain
from tui.engine.interface import Replica
from tui.watch.cluster import Cluster
from tui.watch.roles.kind import Watched, part_of
from tui.watch.words import count


def master_line(replica: Replica, cluster: Cluster) -> str:
    """Cores and memory of all workers, and the applications; empty where it says nothing."""
    state = cluster.state
    if state is None:
        return ""
    parts = [
        count(len(state.alive_workers()), "worker"),
        f"{state.cores_used} of {state.cores} cores",
        part_of(state.memory_used, state.memory),
    ]
    parts += [
        f"{plain(app.name, 40)} {'waiting' if app.state == WAITING else app.state.lower()}" for app in state.active
    ]
    return ", ".join(parts)


WATCHED = Watched(line=master_line)
