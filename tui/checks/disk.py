"""Room on the disk that holds what the stack writes."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

from tui.checks.finding import Finding
from tui.checks.situation import Situation
from tui.stack.environment import work_folder

GIB = 1024**3
LEAST = 2 * GIB


def check_disk(now: Situation) -> Iterator[Finding]:
    """Less than 2 GiB free where the work folder lies. It must be called beside the event loop."""
    folder = work_folder(now.stack)
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    try:
        free = shutil.disk_usage(folder).free
    except OSError:
        return
    if free < LEAST:
        yield Finding(
            f"Only {free / GIB:.1f} GiB are free on the disk of {folder}: jobs fail when it is full.",
            "Remove what is not needed; sparkdeck cleanup lists what this stack keeps.",
        )
