"""What the Engine API answers, as far as it is used here: read by msgspec, which refuses what is of another form.

What is missing or null has its default: the engine leaves out, or writes null, where there is nothing.
"""

from __future__ import annotations

from msgspec import Struct, field

Labels = dict[str, str] | None


class _Part(Struct, rename="pascal"):
    """The Engine API writes its names so, with exceptions."""


class Version(_Part):
    """`GET /version`."""

    version: str = ""


class Machine(_Part):
    """`GET /info`."""

    cores: int | None = field(name="NCPU", default=None)
    memory: int | None = field(name="MemTotal", default=None)
    name: str = ""
    operating_system: str = ""
    security_options: list[str] | None = None


class PublicPort(_Part):
    """A port in the list of containers."""

    public_port: int | None = None


class Listed(_Part):
    """A container in `GET /containers/json` and `GET /system/df`."""

    id: str
    names: list[str] | None = None
    state: str = ""
    labels: Labels = None
    ports: list[PublicPort] | None = None
    size_rw: int | None = None

    @property
    def name(self) -> str:
        """Its name; the id's beginning where it has none (any more)."""
        return self.names[0].removeprefix("/") if self.names else self.id[:12]


class Check(_Part):
    """One run of a health check."""

    output: str = ""


class Health(_Part):
    """What the health checks said, the last one last."""

    status: str = "none"
    log: list[Check] | None = None


class State(_Part):
    """Of a container."""

    status: str = ""
    exit_code: int | None = None
    out_of_memory: bool = field(name="OOMKilled", default=False)
    started_at: str = ""
    finished_at: str = ""
    health: Health | None = None


class Config(_Part):
    """Of a container."""

    image: str = ""
    hostname: str = ""
    labels: Labels = None
    tty: bool = False


class Binding(_Part):
    """Where a port of a container is published."""

    host_ip: str = ""
    host_port: str = ""


class Network(_Part):
    """A container's place in a network."""

    ipv4: str = field(name="IPAddress", default="")
    ipv6: str = field(name="GlobalIPv6Address", default="")
    aliases: list[str] | None = None
    dns_names: list[str] | None = field(name="DNSNames", default=None)


class NetworkSettings(_Part):
    """Of a container."""

    networks: dict[str, Network | None] | None = None
    ports: dict[str, list[Binding] | None] | None = None


class LogConfig(_Part):
    """Where a container's output goes."""

    type: str = ""


class HostConfig(_Part):
    """Of a container."""

    log_config: LogConfig | None = None
    network_mode: str = ""


class Container(_Part):
    """`GET /containers/ID/json`."""

    id: str
    name: str
    state: State
    config: Config
    network_settings: NetworkSettings | None = None
    host_config: HostConfig | None = None
    created: str = ""
    path: str = ""
    args: list[str] | None = None
    restart_count: int = 0


class Top(_Part):
    """`GET /containers/ID/top`."""

    titles: list[str]
    processes: list[list[str]] | None = None


class ListedNetwork(_Part):
    """A network in `GET /networks`."""

    id: str
    name: str


class VolumeUse(_Part):
    """-1 is unknown."""

    size: int = -1


class Volume(_Part):
    """A volume in `GET /system/df`."""

    name: str
    labels: Labels = None
    usage_data: VolumeUse | None = None


class Image(_Part):
    """An image in `GET /system/df`."""

    id: str
    repo_tags: list[str] | None = None
    labels: Labels = None
    size: int | None = None


class Usage(_Part):
    """`GET /system/df`."""

    containers: list[Listed] | None = None
    volumes: list[Volume] | None = None
    images: list[Image] | None = None


class Actor(_Part):
    """What an event happened to."""

    id: str = field(name="ID", default="")
    attributes: Labels = None


class Message(_Part):
    """One of `GET /events`."""

    action: str = ""
    actor: Actor | None = None
    time_nano: int = field(name="timeNano", default=0)


class CpuUse(Struct, frozen=True):
    """CPU time in nanoseconds."""

    total_usage: int | None = None
    percpu_usage: list[int] | None = None


class Cpu(Struct, frozen=True):
    """A container's CPU time beside its machine's."""

    cpu_usage: CpuUse = CpuUse()
    system_cpu_usage: int | None = None
    online_cpus: int | None = None


class Memory(Struct, frozen=True):
    """Bytes; `stats` are the control group's own."""

    usage: int | None = None
    limit: int | None = None
    stats: dict[str, int] | None = None


class Traffic(Struct, frozen=True):
    """Of one network."""

    rx_bytes: int | None = None
    tx_bytes: int | None = None


class DiskUse(Struct, frozen=True):
    """Of one device, for one kind of operation."""

    op: str = ""
    value: int | None = None


class Disk(Struct, frozen=True):
    """Of all devices."""

    io_service_bytes_recursive: list[DiskUse] | None = None


class Pids(Struct, frozen=True):
    """Processes and threads."""

    current: int | None = None


class Reading(Struct, frozen=True):
    """One of `GET /containers/ID/stats`."""

    read: str = ""
    cpu_stats: Cpu = Cpu()
    precpu_stats: Cpu = Cpu()
    memory_stats: Memory = Memory()
    networks: dict[str, Traffic] | None = None
    blkio_stats: Disk = Disk()
    pids_stats: Pids = Pids()


class Refusal(Struct, frozen=True):
    """The body of an error."""

    message: str
