"""The benchmark itself: its engine answers as the real one, and its accounts are right."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest

from tests.bench.containers import Container
from tests.bench.loopback import first
from tests.bench.scenarios import HEAD, Bench, Result, counted, kinds, quantile, row
from tests.bench.terminal import Use


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


@pytest.mark.parametrize(("share", "expected"), [(0.05, 1), (0.5, 10), (0.95, 19), (0.96, 20), (1.0, 20)])
def test_a_share_of_the_values_is_not_above_its_quantile(share: float, expected: int) -> None:
    assert quantile(list(range(20, 0, -1)), share) == expected


def test_a_row_is_one_of_the_readmes_table() -> None:
    use = Use(cpu=9.84, memory_begin=79_000_000, memory_end=80_000_000, memory_peak=80_400_000, written=133_000)
    result = Result("the deck", use, keys=[("\x1b", 0.034), ("k", 0.01), ("k", 0.012)], lines="5 offered")
    assert row(result) == "| the deck | 9.8 % | 80 MB (+1.0) | 133 kB/s | 12 / 34 / 34 ms | 5 offered |"
    assert row(Result("nothing measured")) == "| nothing measured |  |  |  |  |  |"
    assert kinds([result]) == "By key: Esc 34 / 34 / 34 ms, k 11 / 12 / 12 ms."
    assert kinds([]) == ""


@pytest.mark.engine
async def test_every_line_is_held_or_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(tmp_path, 3, seconds=1)
    monkeypatch.setenv("DOCKER_HOST", bench.env["DOCKER_HOST"])
    async with bench.engine():
        (result,) = await counted(bench)
    offered, held, counted_out = (int(number.replace(",", "")) for number in re.findall(r"\d[\d,]*", result.lines))
    assert offered > 10_000
    assert offered == held + counted_out and " offered = " in result.lines
    assert row(result).count("|") == HEAD.splitlines()[0].count("|")
