"""A program in a pseudo-terminal: what it writes, what it uses, and how long a key takes to the screen."""

from __future__ import annotations

import asyncio
import fcntl
import os
import pty
import re
import signal
import struct
import termios
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import psutil

COLUMNS, ROWS = 160, 48
_SEQUENCE = re.compile(rb"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[ -/]*[0-~])")
_KEPT = 4 * 1024 * 1024


def _as_a_terminal_starts(slave: int) -> None:
    """In the program's process: this is its terminal, and no signal is ignored, whatever we were started by (nohup)."""
    fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT):
        signal.signal(number, signal.SIG_DFL)


@dataclass(frozen=True, slots=True)
class Use:
    """What a program used over a while: CPU in percent of one core, memory in bytes, bytes written a second."""

    cpu: float
    memory_begin: int
    memory_end: int
    memory_peak: int
    written: float


class Terminal:
    """160x48. The program is in a session of its own, whose terminal this is, and ends with `close`."""

    def __init__(self, process: asyncio.subprocess.Process, master: int) -> None:
        self._process = process
        self._master = master
        self._tree = psutil.Process(process.pid)
        self._output = bytearray()
        self._arrived = asyncio.Event()
        self.began = time.perf_counter()
        self.written = 0
        self._closed = False
        self._hung_up = False
        asyncio.get_running_loop().add_reader(master, self._read)

    @classmethod
    async def open(cls, command: Sequence[str], folder: Path, env: Mapping[str, str]) -> Terminal:
        """Starts a program."""
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        os.set_blocking(master, False)
        began = time.perf_counter()
        process = await asyncio.create_subprocess_exec(
            *command,
            cwd=folder,
            env=env,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
            preexec_fn=partial(_as_a_terminal_starts, slave),
        )
        os.close(slave)
        terminal = cls(process, master)
        terminal.began = began
        return terminal

    def _read(self) -> None:
        with suppress(BlockingIOError):
            try:
                data = os.read(self._master, 1024 * 1024)
            except OSError:
                data = b""
            if not data:
                asyncio.get_running_loop().remove_reader(self._master)
            self.written += len(data)
            self._output += data
            del self._output[:-_KEPT]
            self._arrived.set()

    def text(self) -> str:
        """What was written since the last `forget`, without control sequences."""
        return _SEQUENCE.sub(b"", bytes(self._output)).decode(errors="replace")

    @property
    def raw(self) -> bytes:
        """What was written since the last `forget`."""
        return bytes(self._output)

    @property
    def pid(self) -> int:
        """The program's process."""
        return self._process.pid

    def modes(self) -> list[Any]:
        """How the terminal is set, see `termios`."""
        return termios.tcgetattr(self._master)

    def hang_up(self) -> None:
        """The terminal goes, as when its window is closed."""
        asyncio.get_running_loop().remove_reader(self._master)
        os.close(self._master)
        self._hung_up = True

    async def ended(self, seconds: float = 10) -> int:
        """The program's exit code, when it has ended by itself. Raises TimeoutError."""
        async with asyncio.timeout(seconds):
            code = await self._process.wait()
        self._read()
        return code

    def forget(self) -> None:
        """Only what is written from now on counts for `wait`."""
        self._output.clear()

    async def wait(self, pattern: str, seconds: float = 10) -> float:
        """Waits for a text to be written; the moment that it was. Raises TimeoutError with what was there instead."""
        wanted = re.compile(pattern)
        try:
            async with asyncio.timeout(seconds):
                while True:
                    self._arrived.clear()
                    if wanted.search(self.text()):
                        return time.perf_counter()
                    await self._arrived.wait()
        except TimeoutError:
            shown = self.text()[-1500:]
            raise TimeoutError(
                f"{pattern!r} did not come within {seconds} s; the end of what came: {shown!r}"
            ) from None

    def send(self, keys: str) -> None:
        """Presses keys."""
        os.write(self._master, keys.encode())

    async def press(self, key: str, pattern: str) -> float:
        """Seconds from a key to the text that it brings."""
        self.forget()
        began = time.perf_counter()
        self.send(key)
        return await self.wait(pattern) - began

    async def use(self, seconds: float) -> Use:
        """What the program and its children use from now on."""
        written, began, used = self.written, time.perf_counter(), self._cpu()
        memory = [self._memory()]
        while time.perf_counter() < began + seconds:
            await asyncio.sleep(min(0.5, seconds))
            memory.append(self._memory())
        elapsed = time.perf_counter() - began
        return Use(
            cpu=(self._cpu() - used) / elapsed * 100,
            memory_begin=memory[0],
            memory_end=memory[-1],
            memory_peak=max(memory),
            written=(self.written - written) / elapsed,
        )

    async def close(self, keys: str = "") -> float | None:
        """Leaves with these keys: how many seconds that took, None if the program had to be killed.

        Once is enough: later calls do nothing.
        """
        if self._closed:
            return None
        self._closed = True
        began = time.perf_counter()
        took: float | None = None
        if keys:
            self.send(keys)
            with suppress(TimeoutError):
                async with asyncio.timeout(10):
                    await self._process.wait()
                took = time.perf_counter() - began
        if self._process.returncode is None:
            self._process.kill()
            await self._process.wait()
        if not self._hung_up:
            self.hang_up()
        return took

    def _all(self) -> list[psutil.Process]:
        with suppress(psutil.Error):
            return [self._tree, *self._tree.children(recursive=True)]
        return []

    def _cpu(self) -> float:
        total = 0.0
        for process in self._all():
            with suppress(psutil.Error):
                times = process.cpu_times()
                total += times.user + times.system
        return total

    def _memory(self) -> int:
        total = 0
        for process in self._all():
            with suppress(psutil.Error):
                total += process.memory_info().rss
        return total
