"""Tunnels: listeners on this machine whose connections are carried on by a command, each by a process of its own."""

from __future__ import annotations

import asyncio
import os
import signal
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Sequence
from contextlib import suppress

from tui.engine.interface import Address

CHUNK = 64 * 1024
# Of one tunnel, at the same time; more wait. A browser has six.
CONNECTIONS = 24


class Tunnel:
    """Open from `open` to `close`. The command gets a connection's bytes on stdin, and answers on stdout."""

    def __init__(self, command: Sequence[str]) -> None:
        self._command = command
        self._budget = asyncio.Semaphore(CONNECTIONS)
        self._connections: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def open(self) -> Address:
        """Begins to listen, on a free port of this machine and for this machine only."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        return Address("localhost", self._server.sockets[0].getsockname()[1], lasting=False)

    async def close(self) -> None:
        """Cuts every connection."""
        if self._server is not None:
            self._server.close()
        connections = tuple(self._connections)
        for connection in connections:
            connection.cancel()
        await asyncio.gather(*connections, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._carry(reader, writer), name="tunnel")
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with self._budget:
                process = await asyncio.create_subprocess_exec(
                    *self._command, stdin=PIPE, stdout=PIPE, stderr=DEVNULL, start_new_session=True
                )
                assert process.stdin is not None and process.stdout is not None
                ways = [
                    asyncio.ensure_future(_copy(reader, process.stdin)),
                    asyncio.ensure_future(_copy(process.stdout, writer)),
                ]
                try:
                    # Whoever of the two is gone, the other has nobody to talk to.
                    await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    for way in ways:
                        way.cancel()
                    with suppress(ProcessLookupError):
                        os.killpg(process.pid, signal.SIGTERM)
                    await asyncio.gather(*ways, process.wait(), return_exceptions=True)
        except OSError:
            # The command cannot be run (any more): whoever connected sees a connection that is closed.
            pass
        finally:
            writer.close()


async def _copy(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while chunk := await source.read(CHUNK):
            sink.write(chunk)
            await sink.drain()
