"""The Engine API over aiodocker: where the engine is, plain queries, and open streams."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
from aiodocker import Docker

from tui.engine.docker.errors import NotThere, gone, translated
from tui.engine.interface import EngineError, EngineGone

# A healthy engine answers within milliseconds, a busy one within seconds.
ANSWER_SECONDS = 30
STREAM_TIMEOUT = aiohttp.ClientTimeout(sock_connect=ANSWER_SECONDS)
_UNIX = "unix://"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where the engine is: Docker's context and the address it stands for."""

    context: str
    host: str

    def __str__(self) -> str:
        return f"{self.host} (context {self.context})"

    @property
    def is_local(self) -> bool:
        """Whether the ports that containers publish are ports of this machine."""
        return self.host.startswith(("unix://", "npipe://", "tcp://127.0.0.1", "tcp://localhost"))


def parse_endpoint(inspected: str) -> Endpoint:
    """The endpoint in what `docker context inspect` prints. Raises EngineGone if there is none."""
    try:
        context = json.loads(inspected)[0]
        return Endpoint(str(context["Name"]), str(context["Endpoints"]["docker"]["Host"]))
    except (ValueError, LookupError, TypeError):
        raise EngineGone("`docker context inspect` names no engine; see `docker context ls`") from None


class Api:
    """One engine's HTTP API. Raises EngineError for what the engine refuses, EngineGone if it is silent."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self._closed = False
        self._open_streams: set[aiohttp.ClientResponse] = set()
        self._connector: aiohttp.BaseConnector | None = None
        # The endpoint is the one that docker's own command line found, so that both talk to one engine:
        # aiodocker 0.27 lets a chosen context win over DOCKER_HOST, the command line does the opposite.
        with translated(str(endpoint), f"The engine at {endpoint} cannot be reached"):
            self._docker = self._open()

    def _open(self) -> Docker:
        host = self.endpoint.host
        if host.startswith(_UNIX):
            # Every stream holds a connection; aiohttp's default of 100 would make one replica too many wait.
            self._connector = aiohttp.UnixConnector(host.removeprefix(_UNIX), limit=0)
            # With a connector the address serves only to make up URLs.
            return Docker(url="unix://localhost", connector=self._connector)
        try:
            if host.startswith("tcp://") and self.endpoint.context != "default":
                return Docker(context=self.endpoint.context)
            return Docker(url=host)
        except ValueError as error:
            raise gone(str(self.endpoint), str(error)) from None

    async def close(self) -> None:
        """Gives back every connection; streams still open, and later calls, raise EngineGone."""
        self._closed = True
        # Closing the session alone would let their readers wait for ever.
        for response in tuple(self._open_streams):
            response.close()
        await self._docker.close()
        if self._connector is not None:
            await self._connector.close()

    async def query(
        self,
        path: str,
        method: str = "GET",
        *,
        params: Mapping[str, Any] | None = None,
        seconds: float = ANSWER_SECONDS,
        what: str = "",
    ) -> Any:
        """The engine's answer, from JSON; None if it is empty. `what` begins an error's sentence."""
        with self._asking(what):
            async with asyncio.timeout(seconds):
                async with self._docker._query(path, method, params=_params(params)) as response:
                    try:
                        body = await response.read()
                    finally:
                        response.release()
        if not body or "json" not in response.headers.get("Content-Type", ""):
            return None
        try:
            return json.loads(body)
        except ValueError:
            raise EngineError(f"{path}: the engine's answer is not JSON") from None

    @contextmanager
    def _asking(self, what: str = "") -> Iterator[None]:
        """Translates errors; all that goes wrong on a closed connection is that it is closed."""
        closed = EngineGone("The connection to the engine was closed")
        if self._closed:
            raise closed
        try:
            with translated(str(self.endpoint), what):
                yield
        except Exception:
            # aiohttp trips over a session that is closed while it works, with whatever comes first.
            if self._closed:
                raise closed from None
            raise

    async def inspect(self, replica_id: str) -> dict[str, Any]:
        """Everything the engine knows of one container."""
        found = await self.query(f"containers/{replica_id}/json", what="This replica cannot be read")
        return dict(found)

    @asynccontextmanager
    async def stream(
        self, path: str, params: Mapping[str, Any], *, what: str = ""
    ) -> AsyncIterator[aiohttp.StreamReader]:
        """An answer that goes on. Leaving closes its connection."""
        with self._asking(what):
            async with asyncio.timeout(ANSWER_SECONDS):
                response = await self._docker._do_query(path, "GET", params=_params(params), timeout=STREAM_TIMEOUT)
            self._open_streams.add(response)
            try:
                if self._closed:
                    raise aiohttp.ClientConnectionError
                yield response.content
            finally:
                self._open_streams.discard(response)
                # Not released: that would wait for a stream that has no end.
                response.close()

    async def answers(self) -> None:
        """Raises EngineGone if the engine does not answer (any more)."""
        await self.query("_ping")

    async def has(self, path: str) -> bool:
        """Whether the engine knows something under this path."""
        try:
            await self.query(path)
        except NotThere:
            return False
        return True


def _params(params: Mapping[str, Any] | None) -> dict[str, Any]:
    return {name: json.dumps(v) if isinstance(v, dict) else v for name, v in (params or {}).items()}
