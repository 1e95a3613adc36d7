"""A Jupyter server: its token, kernels and how busy it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeVar

import msgspec
from msgspec import Struct

from tui.clients.http import ClientError, HttpClient, Trouble

if TYPE_CHECKING:
    import aiohttp

T = TypeVar("T")

LIST_COMMAND = ("jupyter", "server", "list", "--json")
"""The command that `parse_servers` reads; it runs where the server runs."""


class Server(Struct, frozen=True):
    """A running server as `jupyter server list --json` shows it."""

    url: str
    token: str = ""
    base_url: str = "/"
    port: int | None = None
    pid: int | None = None
    root_dir: str = ""


class ApiInfo(Struct, frozen=True):
    """The open `/api`."""

    version: str


class Status(Struct, frozen=True):
    """`/api/status`: times as the server writes them (ISO 8601, UTC)."""

    started: str
    last_activity: str
    connections: int
    kernels: int


class Kernel(Struct, frozen=True):
    """A running kernel. `execution_state`: starting, idle, busy, ..."""

    id: str
    name: str
    execution_state: str = ""
    last_activity: str = ""
    connections: int = 0


def parse_servers(output: str) -> list[Server]:
    """The servers in the output of `LIST_COMMAND`, one JSON object a line; other lines are skipped."""
    servers = []
    for line in output.splitlines():
        try:
            servers.append(msgspec.json.decode(line, type=Server))
        except (msgspec.DecodeError, RecursionError):
            continue
    return servers


class JupyterClient(HttpClient):
    """A Jupyter server's REST API. `token` may be empty for `version` only."""

    system = "Jupyter"
    advice = "Check that Jupyter runs: sparkdeck status."

    def __init__(
        self,
        base_url: str,
        token: str = "",
        *,
        session: aiohttp.ClientSession | None = None,
        timeout: float = 4.0,
    ) -> None:
        # In a header: a token in a URL ends up in logs and messages.
        headers = {"Authorization": f"token {token}"} if token else None
        super().__init__(base_url, session=session, timeout=timeout, headers=headers)

    async def version(self) -> str:
        """The server's version; needs no token. Raises ClientError."""
        return (await self.get("/api", ApiInfo)).version

    async def status(self) -> Status:
        """How busy it is. Raises ClientError."""
        return await self._with_token("/api/status", Status)

    async def kernels(self) -> Sequence[Kernel]:
        """The running kernels. Raises ClientError."""
        return await self._with_token("/api/kernels", tuple[Kernel, ...])

    async def _with_token(self, path: str, type: type[T]) -> T:
        try:
            return await self.get(path, type)
        except ClientError as error:
            # Without a token a server sends browsers to its login page.
            if error.kind is not Trouble.STATUS or error.status not in (302, 401, 403):
                raise
            text = (
                f"Jupyter at {self.base_url} wants its token. "
                f"`{' '.join(LIST_COMMAND)}` in its service shows it; `sparkdeck open jupyter` includes it."
            )
            raise ClientError(Trouble.STATUS, text, status=error.status) from None
