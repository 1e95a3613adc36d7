"""A Spark master's page for programs, and its workers' behind it, as a test says them."""

from __future__ import annotations

import asyncio
from typing import Any

from aiohttp import web


class Master:
    """`answer` is a handler for `serve`. `workers` and `apps` can be changed; `silent`: it answers 503."""

    def __init__(self) -> None:
        self.asked = 0
        self.asking = asyncio.Event()
        self.silent = False
        self.workers: list[dict[str, Any]] = []
        self.apps: list[dict[str, Any]] = []

    def add(self, id: str, host: str, port: int = 40000, page: str = "", **fields: Any) -> dict[str, Any]:
        """A worker of two cores that is ALIVE unless told otherwise; its entry, to change."""
        figures = {"cores": 2, "coresused": 0, "memory": 2048, "memoryused": 0}
        web_ui = page or f"http://{host}:8081"
        self.workers.append(
            {"id": id, "host": host, "port": port, "webuiaddress": web_ui, "state": "ALIVE", **figures, **fields}
        )
        return self.workers[-1]

    async def answer(self, request: web.Request) -> web.Response:
        self.asked += 1
        self.asking.set()
        if self.silent:
            return web.Response(status=503)
        if request.path.startswith("/proxy/"):
            (found,) = [one for one in self.workers if one["id"] == request.path.split("/")[2]]
            return web.json_response({key: found[key] for key in ("id", "cores", "coresused")})
        sums = {"cores": 2, "coresused": 1, "memory": 2048, "memoryused": 512}
        return web.json_response(
            {
                **{"url": "spark://m:7077", "status": "ALIVE", **sums},
                **{"workers": self.workers, "activeapps": self.apps, "completedapps": []},
            }
        )
