"""The Engine API over aiohttp: where the engine is, plain queries, and open streams."""

from __future__ import annotations

import asyncio
import json
import os
import ssl
from collections.abc import AsyncIterator, Collection, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import aiohttp
import msgspec

from tui.engine.docker.answers import Container, Refusal
from tui.engine.docker.budget import Budget, Place, most_streams
from tui.engine.docker.errors import SHOWN, NotDone, NotThere, garbled, gone, translated
from tui.engine.docker.ssh import Ssh
from tui.engine.interface import EngineError, EngineGone
from tui.text import message

# A healthy engine answers within milliseconds, a busy one within seconds.
ANSWER_SECONDS = 30
# Each call has its own limit, streams have none.
TIMEOUT = aiohttp.ClientTimeout(sock_connect=ANSWER_SECONDS)
_NOT_MODIFIED, _NOT_FOUND, _NOT_IMPLEMENTED = 304, 404, 501
_UNREAD = "This replica cannot be read"

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where the engine is: Docker's context and the address it stands for.

    `certificates` is the folder of TLS: ca.pem, cert.pem, key.pem; `verified` is whether the engine's own must hold.
    """

    context: str
    host: str
    certificates: Path | None = None
    verified: bool = True

    def __str__(self) -> str:
        return f"{self.host} (context {self.context})"

    @property
    def is_local(self) -> bool:
        """Whether the ports that containers publish are ports of this machine."""
        return self.host.startswith(("unix://", "tcp://127.0.0.1", "tcp://localhost"))


def default_certificates() -> Path | None:
    """Those of an engine that is not a context's, if it is to be asked over TLS."""
    if not os.environ.get("DOCKER_TLS_VERIFY"):
        return None
    return Path(os.environ.get("DOCKER_CERT_PATH") or Path.home() / ".docker")


def parse_endpoint(inspected: str) -> Endpoint:
    """The endpoint in what `docker context inspect` prints. Raises EngineGone if there is none."""
    try:
        context = json.loads(inspected)[0]
        name, docker = str(context["Name"]), context["Endpoints"]["docker"]
        certificates = default_certificates() if name == "default" else None
        if name != "default" and (context.get("TLSMaterial") or {}).get("docker"):
            certificates = Path(context["Storage"]["TLSPath"]) / "docker"
        return Endpoint(name, str(docker["Host"]), certificates, verified=not docker.get("SkipTLSVerify"))
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        raise EngineGone("`docker context inspect` names no engine; see `docker context ls`") from None


class Api:
    """One engine's HTTP API. Raises EngineError for what the engine refuses, EngineGone if it is silent or what
    it says cannot be read."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self._closed = False
        self._open_streams: set[aiohttp.ClientResponse] = set()
        self._base = "http://docker"
        self._budget = Budget(most_streams())
        self.ssh: Ssh | None = None
        with translated(str(endpoint)):
            self._session = aiohttp.ClientSession(connector=self._connector(), timeout=TIMEOUT)

    def _connector(self) -> aiohttp.BaseConnector:
        scheme, _, address = self.endpoint.host.partition("://")
        # The budget alone counts: aiohttp would let everything wait behind the first hundred streams.
        if scheme == "unix":
            return aiohttp.UnixConnector(address, limit=0)
        if scheme in ("tcp", "http", "https"):
            tls = self._tls() if scheme == "https" or self.endpoint.certificates else None
            self._base = f"{'https' if tls else 'http'}://{address.rstrip('/')}"
            return aiohttp.TCPConnector(limit=0, ssl=tls or True)
        if scheme == "ssh":
            self.ssh = Ssh(self.endpoint.host)
            return aiohttp.UnixConnector(str(self.ssh.socket), limit=0)
        raise gone(str(self.endpoint), "an address of this kind is not understood")

    def _tls(self) -> ssl.SSLContext:
        folder = self.endpoint.certificates or Path()
        authority, certificate = folder / "ca.pem", folder / "cert.pem"
        context = ssl.create_default_context(cafile=authority if authority.is_file() else None)
        if not self.endpoint.verified:
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        if certificate.is_file():
            context.load_cert_chain(certificate, folder / "key.pem")
        return context

    async def close(self) -> None:
        """Gives back every connection; streams still open, and later calls, raise EngineGone."""
        self._closed = True
        # Closing the session alone would let their readers wait for ever.
        for response in tuple(self._open_streams):
            response.close()
        await self._session.close()
        if self.ssh is not None:
            await self.ssh.close()

    def attend(self, replica_ids: Collection[str]) -> None:
        """Whose streams come first where not all can be open."""
        self._budget.attend(replica_ids)

    async def query(
        self,
        kind: type[T],
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        seconds: float = ANSWER_SECONDS,
        what: str = "",
    ) -> T:
        """The engine's answer, which must be of this kind. `what` begins an error's sentence."""
        body = await self.call(path, params=params, seconds=seconds, what=what)
        with translated(str(self.endpoint)):
            return msgspec.json.decode(body, type=kind)

    async def call(
        self,
        path: str,
        method: str = "GET",
        *,
        params: Mapping[str, Any] | None = None,
        seconds: float = ANSWER_SECONDS,
        what: str = "",
    ) -> bytes:
        """The engine's answer as it came."""
        with self._asking():
            async with asyncio.timeout(seconds), await self._request(method, path, params) as response:
                return await (await self._accepted(response, what)).read()

    async def _request(self, method: str, path: str, params: Mapping[str, Any] | None) -> aiohttp.ClientResponse:
        if self.ssh is not None:
            await self.ssh.ready()
        query = {name: json.dumps(v) if isinstance(v, dict) else v for name, v in (params or {}).items()}
        return await self._session.request(method, f"{self._base}/{path}", params=query, allow_redirects=False)

    async def _accepted(self, response: aiohttp.ClientResponse, what: str) -> aiohttp.ClientResponse:
        """Raises what the engine says if it refuses. Only its own no is one, not that of a proxy before it."""
        if (response.status < 300 and response.content_type != "text/html") or response.status == _NOT_MODIFIED:
            return response
        body = await response.read()
        try:
            text = message(msgspec.json.decode(body, type=Refusal).message)
        except (ValueError, RecursionError):
            page = body[:SHOWN].decode(errors="replace")
            raise garbled(str(self.endpoint), f"{response.status} {response.reason}, {page!r}") from None
        kind = {_NOT_FOUND: NotThere, _NOT_IMPLEMENTED: NotDone}.get(response.status, EngineError)
        raise kind(f"{what}: {text}" if what else text)

    @contextmanager
    def _asking(self) -> Iterator[None]:
        """Translates errors; all that goes wrong on a closed connection is that it is closed."""
        closed = EngineGone("The connection to the engine was closed")
        if self._closed:
            raise closed
        try:
            with translated(str(self.endpoint)):
                yield
        except Exception as error:
            # aiohttp trips over a session that is closed while it works, with whatever comes first.
            if self._closed:
                raise closed from None
            if isinstance(error, EngineGone) and self.ssh is not None and (words := self.ssh.last_words()):
                raise EngineGone(f"{error} Of this connection ssh said last: {words}") from None
            raise

    async def inspect(self, replica_id: str) -> Container:
        """What the engine knows of one container."""
        return await self.query(Container, f"containers/{replica_id}/json", what=_UNREAD)

    async def record(self, replica_id: str) -> dict[str, Any]:
        """Everything the engine knows of one container, raw."""
        return await self.query(dict[str, Any], f"containers/{replica_id}/json", what=_UNREAD)

    @asynccontextmanager
    async def stream(
        self, path: str, params: Mapping[str, Any], *, what: str = "", replica_id: str | None = None
    ) -> AsyncIterator[aiohttp.StreamReader]:
        """An answer that goes on. Leaving closes its connection; what cannot be read in it is an EngineGone.

        One of a replica waits for its place in the budget, and ends with EngineGone if it gives way.
        """
        async with self._budget.place(replica_id) if replica_id else nullcontext(Place("")) as place:
            try:
                async with self._opened(path, params, what, place) as content:
                    yield content
            except EngineGone:
                if place.gave_way:
                    raise EngineGone("This stream gave way to one of what is looked at") from None
                raise

    @asynccontextmanager
    async def _opened(
        self, path: str, params: Mapping[str, Any], what: str, place: Place
    ) -> AsyncIterator[aiohttp.StreamReader]:
        with self._asking():
            response: aiohttp.ClientResponse | None = None
            try:
                async with asyncio.timeout(ANSWER_SECONDS):
                    response = await self._request("GET", path, params)
                    place.close = response.close
                    self._open_streams.add(response)
                    await self._accepted(response, what)
                if self._closed or place.gave_way:
                    raise aiohttp.ClientConnectionError
                yield response.content
            finally:
                if response is not None:
                    self._open_streams.discard(response)
                    # Not released: that would wait for a stream that has no end.
                    response.close()

    async def answers(self) -> None:
        """Raises EngineGone if the engine does not answer (any more)."""
        await self.call("_ping")

    async def has(self, path: str) -> bool:
        """Whether the engine knows something under this path."""
        try:
            await self.call(path)
        except NotThere:
            return False
        return True
