"""The engine's readings as samples, counted as `docker stats` counts them. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from tui.engine.docker.answers import Cpu, Memory, Reading
from tui.engine.docker.replicas import moment
from tui.engine.interface import Sample


def sample(replica_id: str, reading: Reading) -> Sample | None:
    """A sample from one reading; None from the empty one of an ended replica."""
    at = moment(reading.read)
    if at is None:
        return None
    networks = (reading.networks or {}).values()
    disk = reading.blkio_stats.io_service_bytes_recursive or ()
    return Sample(
        replica_id=replica_id,
        at=at,
        cpu_percent=cpu_percent(reading.precpu_stats, reading.cpu_stats),
        memory=memory_used(reading.memory_stats),
        memory_limit=reading.memory_stats.limit,
        network_received=_sum(one.rx_bytes for one in networks),
        network_sent=_sum(one.tx_bytes for one in networks),
        disk_read=_sum(one.value for one in disk if one.op.lower() == "read"),
        disk_written=_sum(one.value for one in disk if one.op.lower() == "write"),
        processes=reading.pids_stats.current,
    )


def cpu_percent(before: Cpu, now: Cpu) -> float | None:
    """CPU in percent of one core between two readings; None if there is no earlier one.

    As `calculateCPUPercentUnix` in docker/cli: share of the machine's CPU time, times its cores.
    """
    used, used_before = now.cpu_usage.total_usage, before.cpu_usage.total_usage
    total, total_before = now.system_cpu_usage, before.system_cpu_usage
    cores = now.online_cpus or len(now.cpu_usage.percpu_usage or ())
    if used is None or used_before is None or not total or not total_before or not cores:
        return None
    elapsed = total - total_before
    return max(0.0, (used - used_before) / elapsed * cores * 100) if elapsed > 0 else None


def memory_used(memory: Memory) -> int | None:
    """Bytes without the page cache that the kernel would drop first.

    As `calculateMemUsageUnixNoCache` in docker/cli: `total_inactive_file` on cgroup v1, `inactive_file` on v2.
    """
    stats, usage = memory.stats or {}, memory.usage
    inactive = stats.get("total_inactive_file", stats.get("inactive_file", 0))
    return usage if usage is None or inactive >= usage else usage - inactive


def _sum(counts: Iterable[int | None]) -> int | None:
    """The sum of what is known; None where nothing is: on cgroup v1 the engine may list no disk at all."""
    known = [count for count in counts if count is not None]
    return sum(known) if known else None
