"""Do the workers fit this machine? What the user set is obeyed or refused, the rest is scaled down."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

import psutil

from tui.engine.interface import EngineError
from tui.stack.memory import memory_bytes, memory_text
from tui.stack.model import FitSpec, Project

STEP = 256 * 1024**2
# Spark refuses an executor below 450 MiB (UnifiedMemoryManager); a worker must offer more than that.
LEAST = 512 * 1024**2


@dataclass(frozen=True, slots=True)
class Machine:
    """What there is to share: memory in bytes, and cores."""

    memory: int
    cores: int


@dataclass(frozen=True, slots=True)
class Fitted:
    """Values for variables that the user did not set, and why they are not the defaults."""

    settings: Mapping[str, str]
    notes: tuple[str, ...] = ()


def this_machine() -> Machine:
    """This machine's memory, or less where a control group limits it; the cores that this process may use."""
    limits = [psutil.virtual_memory().total]
    limits += memory_limits(Path("/proc/self/cgroup"), Path("/sys/fs/cgroup"))
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return Machine(min(limits), cores)


def memory_limits(membership: Path, root: Path) -> list[int]:
    """What the control groups that a process is in allow, in bytes; its group's parents count too.

    `membership` as /proc/PID/cgroup, `root` where the groups are mounted: cgroups(7), versions 1 and 2.
    """
    found = []
    for line in _text(membership).splitlines():
        _, kinds, path = line.split(":", 2)
        if kinds and "memory" not in kinds.split(","):
            continue
        base, name = (root / "memory", "memory.limit_in_bytes") if kinds else (root, "memory.max")
        group = PurePosixPath(path.lstrip("/"))
        for each in (group, *group.parents):
            text = _text(base / each / name).strip()
            if text.isdecimal():
                found.append(int(text))
    return found


def _text(file: Path) -> str:
    """A file's text; empty where there is none, as on macOS."""
    try:
        return file.read_text("utf-8", errors="replace")
    except OSError:
        return ""


def fit(spec: FitSpec, project: Project, values: Mapping[str, str], own: Collection[str], machine: Machine) -> Fitted:
    """What the workers may have. `values`: the variables as they are now; `own`: those that the user set.

    Raises EngineError with the arithmetic where the user's own setting, or the least that Spark needs, does not fit.
    """
    count = sum(
        service.replicas
        for name, service in project.services.items()
        if not service.profiles and any(fnmatchcase(name, pattern) for pattern in spec.workers)
    )
    wanted, cores = _amount(spec.memory, values), values.get(spec.cores, "")
    if not count or wanted is None:
        return Fitted({})
    settings: dict[str, str] = {}
    notes: list[str] = []
    workers = f"{count} workers" if count > 1 else "1 worker"
    if spec.memory in own:
        memory = wanted
        if count * memory > machine.memory:
            raise EngineError(
                f"{workers} of {memory_text(memory)} ({spec.memory}) need {_gib(count * memory)}, and this machine has "
                f"{_gib(machine.memory)}. At most {memory_text(_step(machine.memory // count))} each would fit."
            )
    else:
        # A small machine keeps half of its memory, whatever the stack would reserve on a large one.
        reserve = min(spec.reserve, machine.memory // 2)
        share = _step((machine.memory - reserve) // count)
        memory = min(wanted, share)
        if memory < LEAST:
            raise EngineError(
                f"{workers} do not fit: this machine has {_gib(machine.memory)}, less {_gib(reserve)} for the rest; "
                f"each would get {memory_text(memory)}, and Spark needs {memory_text(LEAST)}. "
                f"Set {spec.memory} in .env to try all the same."
            )
        if memory < wanted:
            settings[spec.memory] = memory_text(memory)
            notes.append(
                f"{workers} of {memory_text(wanted)} and {_gib(reserve)} for the rest do not fit into "
                f"{_gib(machine.memory)}: each worker gets {memory_text(memory)} ({spec.memory})"
            )
    if spec.cores not in own and cores.isdecimal() and count * int(cores) > machine.cores:
        each = max(1, machine.cores // count)
        if each < int(cores):
            settings[spec.cores] = str(each)
            notes.append(
                f"{workers} of {cores} cores are more than this machine's {machine.cores}: each worker gets {each} "
                f"({spec.cores})"
            )
    for name in spec.executors:
        executor = _amount(name, values)
        if executor is None or executor <= memory:
            continue
        if name in own:
            raise EngineError(
                f"{name}={values[name]} does not fit into a worker of {memory_text(memory)}: no worker could start "
                f"such an executor. Lower {name} or set {spec.memory}."
            )
        settings[name] = memory_text(memory).lower()
        notes.append(
            f"an executor of {values[name]} does not fit into such a worker: it gets {settings[name]} ({name})"
        )
    return Fitted(settings, tuple(notes))


def _amount(name: str, values: Mapping[str, str]) -> int | None:
    return memory_bytes(values.get(name, ""))


def _step(amount: int) -> int:
    return amount // STEP * STEP


def _gib(amount: int) -> str:
    return f"{amount / 1024**3:.1f}G"
