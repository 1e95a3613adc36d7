"""Child processes whose output is read as it comes, and which end when nobody reads any more."""

from __future__ import annotations

import asyncio
import os
import signal
from asyncio.subprocess import DEVNULL, PIPE, STDOUT, Process
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from tui.engine.interface import EngineError, EngineGone
from tui.engine.text import Lines
from tui.text import message

CHUNK = 64 * 1024
# compose stops what it is doing at once when interrupted; a build takes a moment.
STOP_SECONDS = 10
# The command in the place of this shell, beside one that kills the whole group when our end of the pipe is closed.
# Unlike a signal at the parent's death, it also reaches what the command has started, and every system has it.
GUARD = 'exec 3<&0 </dev/null; { read -r _ <&3; kill -KILL 0; } >/dev/null 2>&1 & exec "$0" "$@" 3<&-'


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
    pending = Lines()
    async with running(command, folder, env, stderr=STDOUT, handles=handles) as process:
        assert process.stdout is not None
        while chunk := await process.stdout.read(CHUNK):
            for line in map(message, pending.feed(chunk)):
                if line:
                    yield line
        for line in map(message, pending.end()):
            if line:
                yield line
        yield Ended(await process.wait())


async def output(
    command: Sequence[str], folder: Path, env: Mapping[str, str], *, limit: int, seconds: float | None = None
) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of a command, each cut off after `limit` bytes.

    With `seconds` it only asks something: it is ended after so many, raising TimeoutError, and with us, however we end.
    """
    async with running(command, folder, env, stderr=PIPE, guarded=seconds is not None) as process:
        assert process.stdout is not None and process.stderr is not None
        async with asyncio.timeout(seconds), asyncio.TaskGroup() as group:
            texts = [group.create_task(_read(stream, limit)) for stream in (process.stdout, process.stderr)]
            code = await process.wait()
    return code, texts[0].result(), texts[1].result()


@asynccontextmanager
async def running(
    command: Sequence[str],
    folder: Path,
    env: Mapping[str, str],
    *,
    stderr: int | IO[bytes],
    handles: Collection[int] = (),
    guarded: bool = False,
) -> AsyncIterator[Process]:
    """A process that ends when this is left; if `guarded`, at once, and also when we are killed ourselves."""
    with ExitStack() as pipe:
        there, here = os.pipe()
        pipe.callback(os.close, here)
        try:
            # A session of its own: ctrl+c in the terminal is for us, and we end the whole group.
            process = await asyncio.create_subprocess_exec(
                *(("/bin/sh", "-c", GUARD, *command) if guarded else command),
                cwd=folder,
                env={**os.environ, **env},
                stdin=there if guarded else DEVNULL,
                stdout=PIPE,
                stderr=stderr,
                pass_fds=handles,
                start_new_session=True,
            )
        except OSError as error:
            if not folder.is_dir():
                raise EngineError(f"The folder {folder} was deleted: bring it back, or leave its stack.") from None
            raise EngineGone(f"{command[0]} cannot be run in {folder}: {error.strerror}") from None
        finally:
            os.close(there)
        try:
            yield process
        finally:
            pipe.close()
            await _end(process)


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
