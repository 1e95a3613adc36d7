"""Commands with a replica's environment, on this machine."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

OUTPUT_LIMIT = 1024 * 1024
SHELL = ("sh", "-c", "if command -v bash >/dev/null; then exec bash; else exec sh; fi")


async def execute(spec: Mapping[str, Any], words: Sequence[str]) -> tuple[int, str]:
    """Runs a command to its end: exit code as a shell has it, stdout and then stderr, of each the first MiB."""
    program = shutil.which(words[0], path=spec["environment"].get("PATH"))
    if program is None:
        return 127, f"{words[0]}: not found"
    process = await asyncio.create_subprocess_exec(
        *(program, *words[1:]),
        env=spec["environment"],
        cwd=spec["folder"],
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    assert process.stdout is not None and process.stderr is not None
    try:
        out, err = await asyncio.gather(_first(process.stdout), _first(process.stderr))
        code = await process.wait()
    except BaseException:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
        raise
    return (128 - code if code < 0 else code), out + err


def shell_line(file: Path, words: Sequence[str], env: Mapping[str, str]) -> list[str]:
    """The command line that becomes a command with the environment in a replica's `spec.json`."""
    pairs = [f"{name}={value}" for name, value in env.items()]
    return [sys.executable, "-m", "tui.engine.process.enter", str(file), *pairs, "--", *(words or SHELL)]


async def _first(stream: asyncio.StreamReader) -> str:
    """The beginning of an output; the rest is read and dropped."""
    kept = bytearray()
    while chunk := await stream.read(64 * 1024):
        kept += chunk[: OUTPUT_LIMIT - len(kept)]
    return kept.decode(errors="replace")
