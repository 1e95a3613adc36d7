"""An application: whether it is well by its own word."""

from __future__ import annotations

from tui.clients.application import USUAL_PATHS, ApplicationClient, health_url
from tui.clients.text import plain
from tui.watch.roles.kind import Asker, Target, Watched


class Application(Asker):
    """`healthy: /health 200`."""

    seconds = 15.0

    def __init__(self, target: Target) -> None:
        super().__init__(target)
        self._path = ""

    async def line(self) -> str:
        """The status of the path where it says how it is."""
        if isinstance(self._client, ApplicationClient) and self._path:
            return status_text(self._path, await self._client.status(self._path))
        urls = await self.target.urls()
        service = self.target.project.services[self.target.replica.service]
        known = health_url(service.health_test)
        url = urls.get(known[0] or 0) if known else None
        url = url or next(iter(urls.values()), None)
        if url is None:
            return ""
        await self.close()
        self._client = client = ApplicationClient(url)
        status = 0
        for path in dict.fromkeys([*([known[1]] if known else []), *USUAL_PATHS]):
            status = await client.status(path)
            # A health check may ask somebody else: then its path is not known here.
            if status < 400 or status >= 500 or (known and path == known[1] and status != 404):
                self._path = path
                return status_text(path, status)
        return f"unknown: no health path answers (/ {status})"


def status_text(path: str, status: int) -> str:
    """Whether an application is well by its own word."""
    return f"{'healthy' if status < 400 else 'not well'}: {plain(path, 60)} {status}"


WATCHED = Watched(Application)
