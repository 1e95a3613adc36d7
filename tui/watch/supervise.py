"""Long tasks with an owner: one that fails is told of, with its traceback in a file of ours, and begun again."""

from __future__ import annotations

import asyncio
import os
import time
import traceback
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from platformdirs import user_state_path

from tui.stack.wholefile import whole_file
from tui.text import bare
from tui.watch.outlast import FIRST_PAUSE, LONGEST_PAUSE, STEADY_SECONDS

# Of the file, and of one traceback in it: its beginning and its end. The innermost calls tell most.
LONGEST_FILE, LONGEST_TRACEBACK, FRAMES = 256 * 1024, 8 * 1024, -40
# A part that has not failed for so long is well again.
WELL_SECONDS = 30.0
_TITLE = "== "
# How it is said where something is not known for this reason.
OURS = "a part of SparkDeck failed"

Failed = Callable[[Exception, float], object]
"""Hears of a failure and of the pause until the next try, in seconds; makes unknown what the part feeds."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A part of SparkDeck that ended as nobody expected."""

    at: datetime
    part: str
    error: str


class Supervisor:
    """`keep` starts a part; `failures` are those that are not known to be well again, by part; `close` ends
    everything that was started."""

    def __init__(self) -> None:
        self.failures: dict[str, Failure] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._bell = asyncio.Event()

    def keep(
        self,
        part: str,
        run: Callable[[], Coroutine[Any, Any, None]],
        failed: Failed | None = None,
        *,
        expected: type[Exception] | tuple[()] = (),
    ) -> asyncio.Task[None]:
        """A task for this part, begun again with growing pauses whenever it raises; over when it returns. What is
        `expected` is no failure of ours: only `failed` hears of it."""
        task = asyncio.create_task(self._keep(part, run, failed, expected), name=f"part: {part}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def close(self) -> None:
        """Ends every task."""
        while tasks := tuple(self._tasks):
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def hurry(self) -> None:
        """What waits for its next try is tried now."""
        bell, self._bell = self._bell, asyncio.Event()
        bell.set()

    async def note(self, part: str, error: Exception) -> None:
        """Keeps a failure."""
        before = self.failures.get(part)
        failure = Failure(datetime.now(UTC), part, described(error))
        self.failures[part] = failure
        asyncio.get_running_loop().call_later(WELL_SECONDS, self._forget, failure)
        # The same one over and over is written once.
        if before is None or before.error != failure.error:
            # RuntimeError: no thread can be had.
            with suppress(RuntimeError):
                await asyncio.to_thread(_write, failure, error)

    def _forget(self, failure: Failure) -> None:
        if self.failures.get(failure.part) is failure:
            del self.failures[failure.part]

    async def _keep(
        self,
        part: str,
        run: Callable[[], Coroutine[Any, Any, None]],
        failed: Failed | None,
        expected: type[Exception] | tuple[()],
    ) -> None:
        pause = FIRST_PAUSE
        try:
            while True:
                began = time.monotonic()
                try:
                    await run()
                    return
                except Exception as error:
                    bell = self._bell
                    if time.monotonic() - began > STEADY_SECONDS:
                        pause = FIRST_PAUSE
                    try:
                        if failed is not None:
                            failed(error, pause)
                    except Exception as other:
                        await self.note(part, other)
                    if not isinstance(error, expected):
                        await self.note(part, error)
                with suppress(TimeoutError):
                    async with asyncio.timeout(pause):
                        await bell.wait()
                pause = min(2 * pause, LONGEST_PAUSE)
        finally:
            self.failures.pop(part, None)


def described(error: Exception) -> str:
    """An exception in one harmless line."""
    return " ".join(bare(f"{type(error).__name__}: {error}").split())[:300]


def failure_file() -> Path:
    """Where failures are written with their tracebacks, the newest last: in the user's state folder."""
    return user_state_path("sparkdeck") / "failures.log"


def written_failures() -> list[Failure]:
    """What the file tells, the newest last; nothing where it cannot be read."""
    found: list[Failure] = []
    with suppress(OSError):
        for line in failure_file().read_text("utf-8", "replace").splitlines():
            if line.startswith(_TITLE):
                with suppress(ValueError):
                    at, part, error = line[len(_TITLE) :].split("\t")
                    found.append(Failure(datetime.fromisoformat(at), part, error))
    return found


def _write(failure: Failure, error: Exception) -> None:
    """A file that cannot be written is not worth another failure."""
    text = "".join(traceback.format_exception(error, limit=FRAMES))
    if len(text) > LONGEST_TRACEBACK:
        text = f"{text[: LONGEST_TRACEBACK // 2]}\n...\n{text[-LONGEST_TRACEBACK // 2 :]}"
    entry = f"{_TITLE}{failure.at.isoformat()}\t{failure.part}\t{failure.error}\n{text}\n"
    file = failure_file()
    with suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        if file.exists() and file.stat().st_size > LONGEST_FILE:
            kept = file.read_text("utf-8", "replace")[-LONGEST_FILE // 2 :]
            with whole_file(file) as whole:
                whole.write(kept[kept.find(f"\n{_TITLE}") + 1 :])
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "a", encoding="utf-8") as log:
            log.write(entry)
