"""The Spark standalone master: its workers and applications."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from msgspec import Struct, field

from tui.clients.http import MIB, HttpClient

ALIVE = "ALIVE"
WAITING = "WAITING"


class Worker(Struct, frozen=True):
    """A worker as the master knows it. `state` is ALIVE, DEAD, DECOMMISSIONED or UNKNOWN.

    `last_heartbeat` in milliseconds since the epoch, by the master's clock. Spark counts memory in MiB.
    """

    id: str
    host: str
    state: str
    cores: int
    cores_used: int = field(name="coresused")
    memory_mib: int = field(name="memory")
    memory_used_mib: int = field(name="memoryused")
    port: int | None = None
    web_ui: str = field(name="webuiaddress", default="")
    last_heartbeat: int | None = field(name="lastheartbeat", default=None)

    @property
    def is_alive(self) -> bool:
        """Whether the master gives it work."""
        return self.state == ALIVE

    @property
    def memory(self) -> int:
        """What it offers to executors, in bytes."""
        return self.memory_mib * MIB

    @property
    def memory_used(self) -> int:
        """What executors were granted, in bytes."""
        return self.memory_used_mib * MIB

    @property
    def place(self) -> str:
        """What a restarted worker keeps while its id changes: its host with its page's address, else its port."""
        return f"{self.host} {self.web_ui or self.port}"


class Application(Struct, frozen=True):
    """An application as the master knows it. `state`: WAITING, RUNNING, FINISHED, FAILED, KILLED, UNKNOWN.

    `cores` is how many it holds (held, if it has ended). `duration_ms` in milliseconds.
    """

    id: str
    name: str
    state: str
    cores: int
    user: str = ""
    memory_per_executor_mib: int | None = field(name="memoryperexecutor", default=None)
    start_ms: int | None = field(name="starttime", default=None)
    duration_ms: int | None = field(name="duration", default=None)

    @property
    def started_at(self) -> datetime | None:
        """When it registered with the master."""
        try:
            return None if self.start_ms is None else datetime.fromtimestamp(self.start_ms / 1000, UTC)
        except (OverflowError, ValueError, OSError):
            return None


class MasterState(Struct, frozen=True):
    """What the master says at one moment. `status` is ALIVE, STANDBY, RECOVERING or COMPLETING_RECOVERY.

    `cores` and memory are sums over the ALIVE workers.
    """

    url: str
    status: str
    workers: tuple[Worker, ...]
    active: tuple[Application, ...] = field(name="activeapps")
    completed: tuple[Application, ...] = field(name="completedapps")
    cores: int
    cores_used: int = field(name="coresused")
    memory_mib: int = field(name="memory")
    memory_used_mib: int = field(name="memoryused")

    @property
    def memory(self) -> int:
        """What all workers offer to executors, in bytes."""
        return self.memory_mib * MIB

    @property
    def memory_used(self) -> int:
        """What executors were granted, in bytes."""
        return self.memory_used_mib * MIB

    def current_workers(self) -> list[Worker]:
        """The workers without the former selves of restarted ones, in the master's order.

        A restarted worker stands in the list twice, DEAD and ALIVE, at the same place. Several that are ALIVE at one
        place (SPARK_LOCAL_HOSTNAME and SPARK_PUBLIC_DNS give all of them one) are as many workers.
        """
        return newest(self.workers)

    def alive_workers(self) -> list[Worker]:
        """The workers that get work now."""
        return [worker for worker in self.current_workers() if worker.is_alive]

    def application(self, app_id: str) -> Application | None:
        """An application by its id, active or completed."""
        return next((app for app in (*self.active, *self.completed) if app.id == app_id), None)


def newest(workers: Iterable[Worker]) -> list[Worker]:
    """Of the workers at the same place those that are ALIVE, else the one heard from last."""
    places: dict[str, list[Worker]] = {}
    for worker in workers:
        places.setdefault(worker.place, []).append(worker)
    found: list[Worker] = []
    for here in places.values():
        alive = [worker for worker in here if worker.is_alive]
        found += alive or [max(here, key=lambda worker: worker.last_heartbeat or 0)]
    return found


class MasterClient(HttpClient):
    """The master's page for programs, the same keys in Spark 3.5, 4.1 and 4.3."""

    system = "the Spark master"
    advice = "Check that the master runs and that this is its web port: sparkdeck status."

    async def state(self) -> MasterState:
        """Workers and applications now. Raises ClientError."""
        return await self.get("/json/", MasterState)
