"""Why an application waits, from the Spark master's numbers alone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from tui.clients.spark_master import WAITING, Application, MasterState
from tui.clients.text import plain
from tui.watch.words import count


class Queued(StrEnum):
    """Why an application has no executor."""

    NO_WORKER = "no-worker"
    TOO_MUCH_MEMORY = "too-much-memory"
    """No worker could ever run it."""
    CORES_HELD = "cores-held"
    MEMORY_HELD = "memory-held"
    NOT_YET = "not-yet"
    """Enough is free, as far as the master tells."""


@dataclass(frozen=True, slots=True)
class QueuedReason:
    """Why an application waits, and what to do."""

    kind: Queued
    text: str
    hint: str


def queued_reason(state: MasterState, app: Application) -> QueuedReason | None:
    """Why `app` has no executor, from the master's numbers alone; None if it does not wait.

    An application that lost all its executors counts as waiting: the master goes on calling it RUNNING.
    """
    if app.state != WAITING and not (app.state == "RUNNING" and app.cores == 0):
        return None
    workers = state.alive_workers()
    if not workers:
        known = len(state.current_workers())
        text = f"No worker is alive ({known} known)." if known else "No worker is registered with the master."
        return QueuedReason(Queued.NO_WORKER, text, "Start the workers; their logs say why they do not register.")
    need = app.memory_per_executor_mib or 0
    largest = max(worker.memory_mib for worker in workers)
    if need > largest:
        text = (
            f"It asks for {_size(need)} per executor, but the largest of {count(len(workers), 'worker')} "
            f"offers {_size(largest)}: {_size(need - largest)} too much, so it can never start."
        )
        hint = f"Set spark.executor.memory to {_size(largest)} or less, or give the workers more memory."
        return QueuedReason(Queued.TOO_MUCH_MEMORY, text, hint)
    others = [other for other in state.active if other.id != app.id and other.cores]
    free_workers = [worker for worker in workers if worker.cores > worker.cores_used]
    if not free_workers:
        cores = sum(worker.cores for worker in workers)
        text = f"All {count(cores, 'core')} are in use: {_holders(others)}."
        return QueuedReason(Queued.CORES_HELD, text, _hint_held(others))
    free_memory = max(worker.memory_mib - worker.memory_used_mib for worker in free_workers)
    if need > free_memory:
        text = (
            f"It asks for {_size(need)} per executor, but the workers with a free core have at most "
            f"{_size(free_memory)} left: {_holders(others)}."
        )
        return QueuedReason(Queued.MEMORY_HELD, text, _hint_held(others))
    if app.state != WAITING:
        return None
    free_cores = sum(worker.cores - worker.cores_used for worker in free_workers)
    memory = ", enough memory too" if need else "; how much memory it asks for is not known"
    text = f"{count(free_cores, 'core')} free{memory}: it has only just asked, or asks too much."
    most = max(worker.cores for worker in workers)
    hint = f"If it stays so: spark.executor.cores above {most} fits no worker (the master does not tell it)."
    return QueuedReason(Queued.NOT_YET, text, hint)


def _holders(others: Iterable[Application]) -> str:
    held = [f"{plain(other.name, 60)} ({plain(other.id, 60)}) holds {other.cores}" for other in others]
    return ", ".join(held[:3]) + (f" and {len(held) - 3} more" if len(held) > 3 else "") or "by whom is not known"


def _hint_held(others: Sequence[Application]) -> str:
    if not others:
        return "Wait, or look at the master's page for what holds them."
    names = " or ".join(plain(other.name, 60) for other in others[:3])
    return f"Wait until it ends, stop {names}, or limit it with spark.cores.max."


def _size(mib: int) -> str:
    """A size in Spark's own way: 1g, 1536m."""
    return f"{mib // 1024}g" if mib and mib % 1024 == 0 else f"{mib}m"
