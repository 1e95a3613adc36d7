"""The engine's readings as samples, counted as `docker stats` counts them. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tui.engine.docker.replicas import moment
from tui.engine.interface import Sample


def sample(replica_id: str, reading: Mapping[str, Any]) -> Sample | None:
    """A sample from one reading of `GET /containers/ID/stats`; None from the empty one of an ended replica."""
    at = moment(reading.get("read"))
    if at is None:
        return None
    networks = reading.get("networks")
    received, sent = _network(networks, "rx_bytes"), _network(networks, "tx_bytes")
    disk = _map(reading.get("blkio_stats")).get("io_service_bytes_recursive")
    memory = _map(reading.get("memory_stats"))
    return Sample(
        replica_id=replica_id,
        at=at,
        cpu_percent=cpu_percent(_map(reading.get("precpu_stats")), _map(reading.get("cpu_stats"))),
        memory=memory_used(memory),
        memory_limit=_count(memory.get("limit")),
        network_received=received,
        network_sent=sent,
        disk_read=_disk(disk, "read"),
        disk_written=_disk(disk, "write"),
        processes=_count(_map(reading.get("pids_stats")).get("current")),
    )


def cpu_percent(before: Mapping[str, Any], now: Mapping[str, Any]) -> float | None:
    """CPU in percent of one core between two readings; None if there is no earlier one.

    As `calculateCPUPercentUnix` in docker/cli: share of the machine's CPU time, times its cores.
    """
    used, used_before = (_count(_map(r.get("cpu_usage")).get("total_usage")) for r in (now, before))
    total, total_before = _count(now.get("system_cpu_usage")), _count(before.get("system_cpu_usage"))
    cores = _count(now.get("online_cpus")) or len(_map(now.get("cpu_usage")).get("percpu_usage") or ())
    if used is None or used_before is None or not total or not total_before or not cores:
        return None
    elapsed = total - total_before
    return max(0.0, (used - used_before) / elapsed * cores * 100) if elapsed > 0 else None


def memory_used(memory: Mapping[str, Any]) -> int | None:
    """Bytes without the page cache that the kernel would drop first.

    As `calculateMemUsageUnixNoCache` in docker/cli: `total_inactive_file` on cgroup v1, `inactive_file` on v2.
    """
    usage = _count(memory.get("usage"))
    if usage is None:
        return None
    stats = _map(memory.get("stats"))
    for name in ("total_inactive_file", "inactive_file"):
        inactive = _count(stats.get(name))
        if inactive is not None:
            return usage - inactive if inactive < usage else usage
    return usage


def _network(networks: Any, name: str) -> int | None:
    if not isinstance(networks, Mapping):
        return None
    return sum(_count(_map(network).get(name)) or 0 for network in networks.values())


def _disk(entries: Any, operation: str) -> int | None:
    if not isinstance(entries, list):
        return None
    return sum(
        _count(_map(entry).get("value")) or 0 for entry in entries if str(_map(entry).get("op")).lower() == operation
    )


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _map(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
