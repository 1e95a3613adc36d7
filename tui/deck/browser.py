"""Opening a page in the browser, beside the deck and without a word on its screen."""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio.subprocess import DEVNULL

_OPEN = "import sys, webbrowser; sys.exit(not webbrowser.open(sys.argv[1]))"
# What has not failed by then (seconds) is open: some browsers end only when they are closed.
_FAILS_WITHIN = 2.0


def has_browser() -> bool:
    """Whether a browser can be opened where this terminal is; BROWSER names one anywhere."""
    if os.environ.get("BROWSER"):
        return True
    if os.environ.get("SSH_CONNECTION"):
        return False
    return sys.platform == "darwin" or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


async def open_page(url: str) -> bool:
    """Opens an address; whether that worked. In a process of its own, so that quitting does not wait for a browser."""
    try:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", "-c", _OPEN, url),
            stdin=DEVNULL,
            stdout=DEVNULL,
            stderr=DEVNULL,
            start_new_session=True,
        )
    except OSError:
        return False
    try:
        return await asyncio.wait_for(process.wait(), _FAILS_WITHIN) == 0
    except TimeoutError:
        return True
