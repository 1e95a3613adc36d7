"""One Spark worker's own view of itself, through its master's reverse proxy."""

from __future__ import annotations

from urllib.parse import quote

from msgspec import Struct, field

from tui.clients.http import HttpClient


class WorkerState(Struct, frozen=True):
    """What a worker runs now. Of a decommissioned worker only this is true: the master's numbers stand still."""

    id: str
    cores: int | None = None
    cores_used: int | None = field(name="coresused", default=None)


class WorkerClient(HttpClient):
    """The worker's page for programs at `{master}/proxy/{worker_id}`; needs `spark.ui.reverseProxy`."""

    system = "the Spark worker"
    advice = "Check that it runs: sparkdeck status."

    def __init__(self, master_url: str, worker_id: str) -> None:
        super().__init__(f"{master_url.rstrip('/')}/proxy/{quote(worker_id, safe='')}")

    async def state(self) -> WorkerState:
        """What it runs now. Raises ClientError."""
        return await self.get("/json/", WorkerState)
