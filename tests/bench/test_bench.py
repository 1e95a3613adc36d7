"""The benchmark itself: its engine answers as the real one, and its accounts are right."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.bench.containers import Container
from tests.bench.loopback import first
from tests.bench.scenarios import Bench, counted


def test_lines_and_their_times_follow_from_the_rates() -> None:
    container = Container("bench", "a", 1, history=10)
    container.set_rate(1000)
    now = container.rates[-1].at_ns
    assert container.written(now + 5_000_000) == 16
    times = [container.at(line) for line in range(16)]
    assert times == sorted(times) and times[-1] == now + 5_000_000
    assert first(container, 0, 16, times[12], lambda one, limit: one >= limit) == 12
    assert b"#3\n" in next(container.frames(3, 4))
    container.set_rate(0)
    assert container.written(time.time_ns()) == container.written(time.time_ns() + 10**9)


@pytest.mark.engine
async def test_every_line_is_held_or_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(tmp_path, 3, seconds=1)
    monkeypatch.setenv("DOCKER_HOST", bench.env["DOCKER_HOST"])
    async with bench.engine():
        (result,) = await counted(bench)
    offered, _, accounted = result.lines.partition(" offered; ")
    assert int(offered.replace(",", "")) > 10_000
    assert accounted.endswith(f"= {offered}")
