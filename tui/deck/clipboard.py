"""Copying: through the terminal (OSC 52) and through the system's own tool, because neither works everywhere."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys

_TOOLS = (
    ("WAYLAND_DISPLAY", ("wl-copy",)),
    ("DISPLAY", ("xclip", "-selection", "clipboard")),
    ("DISPLAY", ("xsel", "--clipboard", "--input")),
    ("TMUX", ("tmux", "load-buffer", "-w", "-")),
)


def _tool() -> tuple[str, ...] | None:
    if sys.platform == "darwin":
        return ("pbcopy",)
    for variable, command in _TOOLS:
        if os.environ.get(variable) and shutil.which(command[0]):
            return command
    return None


async def copy_by_tool(text: str) -> str | None:
    """Copies through the system's tool; its name if that is known to have worked."""
    command = _tool()
    if command is None:
        return None
    process = None
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        await asyncio.wait_for(process.communicate(text.encode()), 3)
    except (OSError, TimeoutError):
        if process is not None and process.returncode is None:
            process.kill()
            await process.wait()
        return None
    return command[0] if process.returncode == 0 else None
