"""Whether the files that a compose project is made of have changed."""

from __future__ import annotations

import re
import stat
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from tui.stack.model import Stack

# What may be a path: an included file, one of settings. Whether it is one, the folder says.
_PATH = re.compile(r"""[^\s"'\[\]{},:#=]*[./][^\s"'\[\]{},:#=]*""")


def fingerprint(stack: Stack) -> Mapping[Path, tuple[int, int] | None]:
    """Time (ns) and size of the compose files, the settings, and every file that one of these files names; None for
    what is not there. Reads files: not for the event loop."""
    found: dict[Path, tuple[int, int] | None] = {}
    waiting = [*stack.files, *stack.env_files, stack.env_file]
    while waiting:
        path = waiting.pop()
        if path in found:
            continue
        found[path], text = None, ""
        with suppress(OSError, ValueError):
            status = path.stat()
            if stat.S_ISREG(status.st_mode):
                found[path] = status.st_mtime_ns, status.st_size
                text = path.read_text(errors="replace") if path.suffix in (".yaml", ".yml") else ""
        waiting += [folder / word for word in set(_PATH.findall(text)) for folder in (stack.folder, path.parent)]
    return found
