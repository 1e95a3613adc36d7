"""Who holds a port of the machine that publishes ports."""

from __future__ import annotations

from tui.engine.docker.answers import Listed
from tui.engine.docker.api import Api
from tui.engine.docker.replicas import PROJECT_LABEL
from tui.engine.ports import is_taken, listener
from tui.stack.model import Port


class Holders:
    """Containers by the engine's own list, other programs where they are this machine's."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def of(self, port: Port) -> str | None:
        """Who holds a published port; None if it is free. Of a remote machine only its containers are known."""
        if port.published is None or port.protocol != "tcp":
            return None
        if not self._api.endpoint.is_local:
            return await self._publisher(port.published)
        return await self.name(port.published) if is_taken(port.host, port.published) else None

    async def name(self, port: int) -> str:
        """Who holds a port that is taken."""
        return await self._publisher(port) or await listener(port) or "another program"

    async def _publisher(self, port: int) -> str | None:
        for container in await self._api.query(list[Listed], "containers/json"):
            if any(binding.public_port == port for binding in container.ports or ()):
                project = (container.labels or {}).get(PROJECT_LABEL)
                return f"container {container.name}" + (f" of the stack {project}" if project else "")
        return None
