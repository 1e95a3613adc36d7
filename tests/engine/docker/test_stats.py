"""Readings of both kinds of control groups, counted as `docker stats` does."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tui.engine.docker.answers import CpuUse, Memory, Reading
from tui.engine.docker.stats import cpu_percent, memory_used
from tui.engine.docker.stats import sample as sample_of
from tui.engine.interface import Sample

V1: dict[str, Any] = {
    "read": "2026-01-31T12:00:00.123456789Z",
    "cpu_stats": {
        "cpu_usage": {"total_usage": 3_000_000_000, "percpu_usage": [1, 2]},
        "system_cpu_usage": 22_000_000_000,
        "online_cpus": 2,
    },
    "precpu_stats": {
        "cpu_usage": {"total_usage": 2_500_000_000},
        "system_cpu_usage": 20_000_000_000,
        "online_cpus": 2,
    },
    "memory_stats": {
        "usage": 1000,
        "limit": 5000,
        "stats": {"total_inactive_file": 300, "inactive_file": 100},
    },
    "networks": {"eth0": {"rx_bytes": 10, "tx_bytes": 1}, "eth1": {"rx_bytes": 5, "tx_bytes": 2}},
    "blkio_stats": {
        "io_service_bytes_recursive": [
            {"op": "Read", "value": 7},
            {"op": "Write", "value": 8},
            {"op": "Total", "value": 15},
        ]
    },
    "pids_stats": {"current": 4},
}


def sample(replica_id: str, reading: dict[str, Any]) -> Sample | None:
    """As it comes over the wire."""
    return sample_of(replica_id, msgspec.json.decode(msgspec.json.encode(reading), type=Reading))


def test_cgroup_v1() -> None:
    found = sample("x", V1)
    assert found is not None
    assert found.cpu_percent == pytest.approx(50.0)
    assert (found.memory, found.memory_limit) == (700, 5000)
    assert (found.network_received, found.network_sent) == (15, 3)
    assert (found.disk_read, found.disk_written, found.processes) == (7, 8, 4)
    assert found.at.isoformat() == "2026-01-31T12:00:00.123456+00:00"


def test_cgroup_v2() -> None:
    reading = {
        **V1,
        "memory_stats": {"usage": 1000, "limit": 5000, "stats": {"inactive_file": 100, "anon": 5}},
        "blkio_stats": {"io_service_bytes_recursive": [{"op": "read", "value": 3}, {"op": "write", "value": 4}]},
    }
    found = sample("x", reading)
    assert found is not None
    assert (found.memory, found.disk_read, found.disk_written) == (900, 3, 4)


def test_the_first_reading_has_no_cpu() -> None:
    found = sample("x", {**V1, "precpu_stats": {"cpu_usage": {"total_usage": 0}}})
    assert found is not None
    assert found.cpu_percent is None


def test_what_is_missing_is_unknown_and_not_zero() -> None:
    for disk in (None, [], [{"op": "Total", "value": 0}]):
        found = sample("x", {"read": V1["read"], "blkio_stats": {"io_service_bytes_recursive": disk}, "networks": {}})
        assert found is not None
        assert {getattr(found, name) for name in found.__slots__ if name not in ("replica_id", "at")} == {None}


def test_an_ended_replica_has_no_sample() -> None:
    assert sample("x", {"read": "0001-01-01T00:00:00Z"}) is None
    assert sample("x", {}) is None


@pytest.mark.parametrize("inactive", [1000, 2000])
def test_a_cache_larger_than_the_usage_is_not_taken_off(inactive: int) -> None:
    assert memory_used(Memory(1000, stats={"inactive_file": inactive})) == 1000


def test_cpu_never_falls_below_zero_or_divides_by_it() -> None:
    reading = msgspec.convert(V1, Reading)
    now = reading.cpu_stats
    assert cpu_percent(msgspec.structs.replace(now, system_cpu_usage=1, cpu_usage=CpuUse(4_000_000_000)), now) == 0.0
    assert cpu_percent(now, now) is None
