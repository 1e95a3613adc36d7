"""The way to an engine behind ssh: one connection of ours, which every query and stream goes through."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from asyncio.subprocess import Process
from contextlib import AsyncExitStack
from pathlib import Path
from urllib.parse import urlsplit

from tui.engine import child
from tui.text import message

# Of the engine's machine; the address may name another one, as docker's own may.
SOCKET = "/var/run/docker.sock"
# A connection that is dead is noticed after three beats.
BEAT_SECONDS, CONNECT_SECONDS = 10, 20


class Ssh:
    """`ssh -N -L`, with the user's own settings and keys; it is opened again where it was lost, and ends with us."""

    def __init__(self, address: str) -> None:
        """`address` is ssh://[USER@]HOST[:PORT][/SOCKET]. Raises ValueError if it is none."""
        there = urlsplit(address)
        self._there = [
            *(("-l", there.username) if there.username else ()),
            *(("-p", str(there.port)) if there.port else ()),
            *("--", there.hostname or ""),
        ]
        self._remote = there.path.rstrip("/") or SOCKET
        # Only ours, and short: a socket's path has room for some hundred characters.
        self._folder = Path(tempfile.mkdtemp(prefix="sparkdeck-"))
        self.socket = self._folder / "docker"
        self._control = self._folder / "ssh"
        self._words = self._folder / "words"
        self._process: Process | None = None
        self._open = AsyncExitStack()
        self._opening = asyncio.Lock()

    def command(self, *options: str) -> list[str]:
        """An ssh that shares this connection, for whatever else has to go there."""
        return ["ssh", "-o", "BatchMode=yes", "-S", str(self._control), *options, *self._there]

    async def ready(self) -> None:
        """Connects, unless it is connected. Raises OSError; `last_words` has the reason."""
        async with self._opening:
            if self._process is None or self._process.returncode is not None:
                await self._open.aclose()
                await self._connect()

    async def _connect(self) -> None:
        self._control.unlink(missing_ok=True)
        options = {
            "ExitOnForwardFailure": "yes",
            "StreamLocalBindUnlink": "yes",
            "ConnectTimeout": str(CONNECT_SECONDS),
            "ServerAliveInterval": str(BEAT_SECONDS),
            # Says when all is there.
            "PermitLocalCommand": "yes",
            "LocalCommand": "echo ready",
        }
        words = [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
        forward = f"{self.socket}:{self._remote}"
        command = self.command("-M", "-N", "-T", *words, "-L", forward)
        # Into a file: nobody has to read what it says later.
        said = self._open.enter_context(self._words.open("w+b"))
        running = child.running(command, self._folder, {}, stderr=said, guarded=True)
        self._process = await self._open.enter_async_context(running)
        assert self._process.stdout is not None
        if not await self._process.stdout.readline():
            await self._process.wait()
            raise ConnectionError("ssh does not get there")

    def last_words(self) -> str:
        """What ssh said last: why the connection, or one through it, failed."""
        said = self._words.read_text(errors="replace").splitlines() if self._words.is_file() else []
        return message(next((line for line in reversed(said) if not line.startswith("Warning:")), ""))

    async def close(self) -> None:
        """Ends the connection."""
        await self._open.aclose()
        shutil.rmtree(self._folder, ignore_errors=True)
