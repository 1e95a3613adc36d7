"""Containers that do not exist: their descriptions, readings and logs as the Engine API has them.

A log is never stored: line number i of a container follows from the rates that were set, and so does its time.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

CREATED = "2026-01-31T12:00:00.000000000Z"
MEMORY, LIMIT = 123 * 1024**2, 1024**3
_SECOND = 1_000_000_000
_WORDS = (
    "INFO Worker: executor app-20261121-0001 finished task in stage of the flight delay job, bytes shuffled and spilled"
)


@dataclass(slots=True)
class Rate:
    """From line `first` on, which is written at `at_ns`, one line every `step_ns`; none if that is 0."""

    first: int
    at_ns: int
    step_ns: int


@dataclass(slots=True)
class Container:
    """One container; `history` lines were written before the benchmark began."""

    project: str
    service: str
    number: int
    history: int = 600
    cpu_ns: float = 0.0
    rates: list[Rate] = field(default_factory=list)
    sent: int = 0

    def __post_init__(self) -> None:
        now = time.time_ns()
        self.rates = [Rate(0, now - self.history * 1_000_000, 1_000_000), Rate(self.history, now, 0)]

    @property
    def id(self) -> str:
        return f"{self.number:064x}"

    @property
    def name(self) -> str:
        return f"{self.project}-{self.service}-1"

    @property
    def labels(self) -> dict[str, str]:
        return {
            "com.docker.compose.project": self.project,
            "com.docker.compose.service": self.service,
            "com.docker.compose.container-number": "1",
            "com.docker.compose.oneoff": "False",
        }

    def set_rate(self, lines_a_second: float) -> None:
        now = time.time_ns()
        self.rates.append(Rate(self.written(now), now, int(_SECOND / lines_a_second) if lines_a_second else 0))

    def written(self, now_ns: int) -> int:
        """How many lines there are by then."""
        rate = self.rates[-1]
        return rate.first + ((now_ns - rate.at_ns) // rate.step_ns + 1 if rate.step_ns else 0)

    def at(self, line: int) -> int:
        """When that line was written."""
        rate = next(rate for rate in reversed(self.rates) if rate.first <= line)
        return rate.at_ns + (line - rate.first) * rate.step_ns

    def frames(self, start: int, end: int) -> Iterator[bytes]:
        """Lines with their time stamps, multiplexed."""
        for line in range(start, end):
            at = self.at(line)
            seconds, rest = divmod(at, _SECOND)
            when = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
            text = f"{when}.{rest:09}Z 26/11/21 {when[11:]} {_WORDS} #{line}\n".encode()
            yield b"\1\0\0\0" + len(text).to_bytes(4) + text

    def reading(self, used: float) -> dict[str, Any]:
        """One reading of its statistics, with everything that the engine sends; `used` CPU in the last second."""
        now = time.time_ns()
        before, self.cpu_ns = self.cpu_ns, self.cpu_ns + used * _SECOND

        def cpu(total: float, at: int) -> dict[str, Any]:
            usage = {"total_usage": int(total), "usage_in_kernelmode": 0, "usage_in_usermode": int(total)}
            throttling = {"periods": 0, "throttled_periods": 0, "throttled_time": 0}
            return {
                "cpu_usage": usage,
                "system_cpu_usage": at * 2,
                "online_cpus": 2,
                "throttling_data": throttling,
            }

        moment = datetime.fromtimestamp(now / _SECOND, UTC).isoformat().replace("+00:00", "Z")
        traffic = int(self.cpu_ns / 1000)
        # The some thirty keys of cgroup v2's memory.stat.
        stat = {f"statistic_{number}": 123_456_789 + number for number in range(36)}
        return {
            "read": moment,
            "preread": moment,
            "pids_stats": {"current": 12, "limit": 4096},
            "blkio_stats": {
                "io_service_bytes_recursive": [
                    {"major": 8, "minor": 0, "op": "read", "value": traffic},
                    {"major": 8, "minor": 0, "op": "write", "value": traffic * 2},
                ]
            },
            "num_procs": 0,
            "storage_stats": {},
            "cpu_stats": cpu(self.cpu_ns, now),
            "precpu_stats": cpu(before, now - _SECOND),
            "memory_stats": {"usage": MEMORY, "stats": {**stat, "inactive_file": 0}, "limit": LIMIT},
            "name": f"/{self.name}",
            "id": self.id,
            "networks": {"eth0": {"rx_bytes": traffic, "tx_bytes": traffic, "rx_packets": 1, "tx_packets": 1}},
        }

    def listed(self) -> dict[str, Any]:
        return {
            "Id": self.id,
            "Names": [f"/{self.name}"],
            "Image": "bench",
            "ImageID": "sha256:0",
            "Command": "work",
            "Created": 1_769_860_800,
            "State": "running",
            "Status": "Up 2 hours",
            "Ports": [],
            "Labels": self.labels,
            "HostConfig": {"NetworkMode": "bench"},
            "NetworkSettings": {"Networks": {}},
            "Mounts": [],
        }

    def inspected(self) -> dict[str, Any]:
        state = {
            "Status": "running",
            "Running": True,
            "ExitCode": 0,
            "OOMKilled": False,
            "StartedAt": CREATED,
            "FinishedAt": "0001-01-01T00:00:00Z",
            "Health": {"Status": "healthy", "FailingStreak": 0, "Log": [{"ExitCode": 0, "Output": "fine"}]},
        }
        return {
            "Id": self.id,
            "Created": CREATED,
            "Path": "work",
            "Args": [],
            "State": state,
            "Name": f"/{self.name}",
            "RestartCount": 0,
            "Driver": "overlay2",
            "Platform": "linux",
            "Mounts": [],
            "HostConfig": {"LogConfig": {"Type": "json-file", "Config": {}}, "Memory": LIMIT},
            "Config": {"Image": "bench", "Labels": self.labels, "Tty": False, "Env": ["A=b"], "Cmd": ["work"]},
            "NetworkSettings": {"Ports": {}, "Networks": {"bench": {"IPAddress": f"10.0.0.{self.number % 250}"}}},
        }


def dump(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode() + b"\n"
