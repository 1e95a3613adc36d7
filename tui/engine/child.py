"""Child processes whose output is read as it comes, and which end when nobody reads any more."""

from __future__ import annotations

import asyncio
import os
import signal
from asyncio.subprocess import DEVNULL, PIPE, STDOUT, Process
from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tui.engine.interface import EngineError, EngineGone
from tui.engine.text import Lines
from tui.text import message

CHUNK = 64 * 1024
# compose stops what it is doing at once when interrupted; a build takes a moment.
STOP_SECONDS = 10


@asynccontextmanager
async def time_limit(seconds: float, command: Sequence[str], place: str) -> AsyncGenerator[None]:
    """Ends what waits for a command that takes longer. Raises EngineError."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError:
        text = f"{command[0]} in {place} still runs after {seconds:.0f} s: nothing waits for it now"
        raise EngineError(text) from None


@dataclass(frozen=True, slots=True)
class Ended:
    """How a process ended: its exit code."""

    code: int


async def lines(
    command: Sequence[str], folder: Path, env: Mapping[str, str], *, handles: Collection[int] = ()
) -> AsyncGenerator[str | Ended]:
    """The lines of both outputs, cleaned, empty ones left out; the end last. Closing it ends the process.

    `handles`: open files of ours that it gets, too.
    """
    process = await _start(command, folder, env, stderr=STDOUT, handles=handles)
    assert process.stdout is not None
    pending = Lines()
    try:
        while chunk := await process.stdout.read(CHUNK):
            for line in map(message, pending.feed(chunk)):
                if line:
                    yield line
        for line in map(message, pending.end()):
            if line:
                yield line
        yield Ended(await process.wait())
    finally:
        await _end(process)


async def output(command: Sequence[str], folder: Path, env: Mapping[str, str], *, limit: int) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of a command, each cut off after `limit` bytes."""
    process = await _start(command, folder, env, stderr=PIPE)
    assert process.stdout is not None and process.stderr is not None
    try:
        async with asyncio.TaskGroup() as group:
            texts = [group.create_task(_read(stream, limit)) for stream in (process.stdout, process.stderr)]
        code = await process.wait()
    finally:
        await _end(process)
    return code, texts[0].result(), texts[1].result()


async def _start(
    command: Sequence[str], folder: Path, env: Mapping[str, str], *, stderr: int, handles: Collection[int] = ()
) -> Process:
    try:
        # A session of its own: ctrl+c in the terminal is for us, and we end the whole group.
        return await asyncio.create_subprocess_exec(
            *command,
            cwd=folder,
            env={**os.environ, **env},
            stdin=DEVNULL,
            stdout=PIPE,
            stderr=stderr,
            pass_fds=handles,
            start_new_session=True,
        )
    except OSError as error:
        raise EngineGone(f"{command[0]} cannot be run in {folder}: {error.strerror}") from None


async def _read(stream: asyncio.StreamReader, limit: int) -> str:
    kept = bytearray()
    while chunk := await stream.read(CHUNK):
        kept += chunk[: limit - len(kept)]
    return kept.decode(errors="replace")


async def _end(process: Process) -> None:
    """Interrupts a process that still runs, and kills it if that does not help; reads the rest it says."""
    if process.returncode is None:
        _signal(process, signal.SIGINT)
    try:
        # Not wait(): with a full pipe nobody would ever end.
        async with asyncio.timeout(STOP_SECONDS):
            await process.communicate()
    except (TimeoutError, asyncio.CancelledError) as error:
        _signal(process, signal.SIGKILL)
        await process.communicate()
        if isinstance(error, asyncio.CancelledError):
            raise


def _signal(process: Process, number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)
