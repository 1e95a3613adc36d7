"""Which process is meant: a pid with its start, so that a pid that was given again is never mistaken. Stdlib only."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

_PROC = Path("/proc")
_BOOT = _PROC / "sys/kernel/random/boot_id"
ZOMBIE = "Z"
# In the environment of keepers, and of nobody else.
KEEPER = "SPARKDECK_KEEPER"


def identity(pid: int) -> str | None:
    """What tells this process from every other one that had or will have its pid; None if there is none (any more).

    Linux: boot id and start in ticks since boot (proc(5), field 22 of stat). Elsewhere what `ps` prints as its start.
    """
    if pid <= 0:
        return None
    if _BOOT.exists():
        fields = _stat(pid)
        return None if fields is None or fields[0] == ZOMBIE else f"{_boot()} {fields[19]}"
    found = _ps("-o", "stat=,lstart=", "-p", str(pid)).split(None, 1)
    return None if len(found) < 2 or found[0].startswith(ZOMBIE) else found[1].strip()


def is_same(pid: int | None, known: str | None) -> bool:
    """Whether the process that was known so is still there."""
    return pid is not None and known is not None and identity(pid) == known


def descendants(pid: int) -> list[int]:
    """Every living process below this one, children before grandchildren.

    Not keepers, nor what is below them: who starts a stack from within a service has not made it a part of that.
    """
    return below(families(), [pid])[1:]


def families() -> dict[int, list[int]]:
    """Every living process with children: these."""
    children: dict[int, list[int]] = {}
    for one, parent in _parents():
        children.setdefault(parent, []).append(one)
    return children


def below(children: Mapping[int, list[int]], roots: Iterable[int]) -> list[int]:
    """These processes, and all below them but keepers with theirs, each once."""
    found = list(dict.fromkeys(roots))
    for pid in found:
        found += [one for one in children.get(pid, ()) if one not in found and not _is_keeper(one)]
    return found


@cache
def _boot() -> str:
    return _BOOT.read_text().strip()


def _is_keeper(pid: int) -> bool:
    """Asked where orphans come to who is above them: on Linux. Elsewhere keepers are below nobody."""
    try:
        return f"{KEEPER}=".encode() in (_PROC / str(pid) / "environ").read_bytes()
    except OSError:
        return False


def _parents() -> list[tuple[int, int]]:
    if _BOOT.exists():
        found = []
        for name in os.listdir(_PROC):  # noqa: PTH208
            fields = _stat(int(name)) if name.isdigit() else None
            if fields is not None and fields[0] != ZOMBIE:
                found.append((int(name), int(fields[1])))
        return found
    rows = (line.split() for line in _ps("-axo", "pid=,ppid=,stat=").splitlines())
    return [(int(row[0]), int(row[1])) for row in rows if len(row) == 3 and not row[2].startswith(ZOMBIE)]


def _stat(pid: int) -> list[str] | None:
    """The fields of /proc/PID/stat from the third one on; the name before them may hold anything."""
    try:
        return (_PROC / str(pid) / "stat").read_text(errors="replace").rpartition(")")[2].split()
    except OSError:
        return None


def _ps(*arguments: str) -> str:
    return subprocess.run(["ps", *arguments], capture_output=True, text=True, check=False).stdout
