"""An application, or whatever has a health path: whether it is well by its own word."""

from __future__ import annotations

import asyncio

from tui.clients.application import USUAL_PATHS, ApplicationClient, health_url
from tui.clients.text import plain
from tui.stack.roles import ROLES
from tui.watch.learned import learn, learned
from tui.watch.roles.kind import Asker, Target, Watched
from tui.watch.words import NOT_WELL

# Statuses of what is there, and asks who one is.
_LOGIN = (401, 403)
_NOT_THERE = (404, 405, 410)


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
        target = self.target
        urls = await target.urls()
        service = target.project.services[target.replica.service]
        known = health_url(service.health_test)
        url = urls.get(known[0] or 0) if known else None
        url = url or next(iter(urls.values()), None)
        if url is None:
            return ""
        await self.close()
        self._client = client = ApplicationClient(url)
        role = ROLES.get(target.stack.role(service.name))
        usual = [role.health] if role and role.health else USUAL_PATHS
        before = await asyncio.to_thread(learned, target.replica.id)
        status = 0
        for path in dict.fromkeys([*([before] if before else []), *([known[1]] if known else []), *usual]):
            status = await client.status(path)
            # A health check may ask somebody else: then its path is not known here.
            own = path in (before, known[1] if known else None) and status not in _NOT_THERE
            if own or status < 400 or status >= 500 or status in _LOGIN:
                self._path = path
                if path != before:
                    await asyncio.to_thread(learn, target.replica.id, path)
                return status_text(path, status)
        return f"unknown: no health path answers ({plain(path, 60)} {status})"


def status_text(path: str, status: int) -> str:
    """Whether an application is well by its own word."""
    where = f"{plain(path, 60)} {status}"
    if status in _LOGIN:
        return f"alive: {where}, it asks for a login"
    if 300 <= status < 400:
        return f"alive: {where}, which leads elsewhere"
    return f"{'healthy' if status < 400 else NOT_WELL}: {where}"


WATCHED = Watched(Application)
