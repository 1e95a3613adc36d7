"""The Spark master's view of one replica, in a line."""

from __future__ import annotations

from tui.clients.spark_master import WAITING
from tui.clients.text import plain
from tui.engine.interface import Replica, State
from tui.stack.model import Role
from tui.watch.cluster import Cluster
from tui.watch.words import NOT_REGISTERED

_UNITS = ((1024**3, "GiB"), (1024**2, "MiB"))


def spark_line(role: Role, replica: Replica, cluster: Cluster) -> str:
    """Cores and memory of a worker or of all, with workers and applications; empty where the master says nothing."""
    state = cluster.state
    if state is None or replica.is_run or replica.state is not State.RUNNING:
        return ""
    if role is Role.SPARK_WORKER:
        worker = cluster.workers.get(replica.id)
        if replica.id in cluster.unclear:
            return "unknown: which of the master's workers it is cannot be told"
        if worker is None or not worker.is_alive:
            return NOT_REGISTERED
        return f"{worker.cores_used} of {worker.cores} cores, {_of(worker.memory_used, worker.memory)}"
    if role is not Role.SPARK_MASTER:
        return ""
    workers = len(state.alive_workers())
    parts = [
        f"{workers} worker{'' if workers == 1 else 's'}",
        f"{state.cores_used} of {state.cores} cores",
        _of(state.memory_used, state.memory),
    ]
    parts += [
        f"{plain(app.name, 40)} {'waiting' if app.state == WAITING else app.state.lower()}" for app in state.active
    ]
    return ", ".join(parts)


def _of(used: int, total: int) -> str:
    size, unit = next(((size, unit) for size, unit in _UNITS if total >= size), _UNITS[-1])
    return f"{used / size:.3g} of {total / size:.3g} {unit}"
