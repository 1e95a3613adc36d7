"""What cannot be read of processes is unknown, never nothing."""

from __future__ import annotations

import os

import psutil
import pytest

from tui.engine.process.samples import Sampler


def test_processes_that_cannot_be_looked_into_are_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    sampler = Sampler()
    sampler.sample("a", [os.getpid()])
    known = sampler.sample("a", [os.getpid()])
    assert known is not None and known.memory and known.cpu_percent is not None

    def denied(process: psutil.Process) -> None:
        raise psutil.AccessDenied(process.pid)

    for name in ("cpu_times", "memory_info", "memory_full_info", "io_counters"):
        monkeypatch.setattr(psutil.Process, name, denied)
    found = sampler.sample("a", [os.getpid()])
    assert found is not None and found.processes
    assert (found.cpu_percent, found.memory, found.disk_read, found.disk_written) == (None, None, None, None)
