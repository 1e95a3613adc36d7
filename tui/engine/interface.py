"""The interface of what runs services, by capability: what there is, streams, control, runs, inside, reach."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol

from tui.stack.model import Port, Project


class EngineError(Exception):
    """Something an engine refused or could not do. The text is meant for the user: what, where, what to do."""


class EngineGone(EngineError):
    """The engine does not answer (any more)."""


class Lacking(EngineError):
    """This engine has not got what was asked of it."""


class State(StrEnum):
    """The state of a replica. A service without any replica has none."""

    CREATED = "created"
    RUNNING = "running"
    PAUSED = "paused"
    RESTARTING = "restarting"
    ENDED = "ended"
    UNKNOWN = "unknown"


class Health(StrEnum):
    """What the health check says; `none` where the service has no health check."""

    NONE = "none"
    STARTING = "starting"
    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"


@dataclass(frozen=True, slots=True)
class EngineInfo:
    """Which engine this is. `endpoint` names the context or socket; `reason` says why it was chosen where that needs
    words. `cores` and `memory` (bytes) are those of the machine that runs the services; None is unknown. `here` names
    this machine beside it. `memory_is` says what its samples count as memory.
    """

    kind: str
    version: str
    endpoint: str
    reason: str = ""
    cores: int | None = None
    memory: int | None = None
    here: str = "host"
    memory_is: str = "without inactive page cache, as `docker stats` counts it"


@dataclass(frozen=True, slots=True)
class Replica:
    """One running (or ended) instance of a service. Times are aware; None is unknown.

    `host` is the name under which other replicas of the stack reach it, `names` are what else it is called among
    them; `addresses` are its network addresses.
    `folder` and `files` are those of the compose project that it was made from, empty where the engine does not tell.
    `labels` are only SparkDeck's own (`sparkdeck.*`, without the prefix); a job's run has `run` among them.
    """

    id: str
    name: str
    service: str
    number: int
    state: State
    health: Health = Health.NONE
    health_output: str = ""
    exit_code: int | None = None
    out_of_memory: bool = False
    restarts: int = 0
    created_at: datetime | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    image: str = ""
    ports: tuple[Port, ...] = ()
    addresses: tuple[str, ...] = ()
    host: str = ""
    names: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    folder: str = ""
    files: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_run(self) -> bool:
        """Whether this is a job's run and not a replica that the stack itself keeps."""
        return "run" in self.labels


@dataclass(frozen=True, slots=True)
class Sample:
    """What a replica uses. CPU in percent of one core, memory in bytes (`EngineInfo.memory_is` says which), network
    and disk in bytes since its start; None is unknown."""

    replica_id: str
    at: datetime
    cpu_percent: float | None
    memory: int | None
    memory_limit: int | None
    network_received: int | None
    network_sent: int | None
    disk_read: int | None
    disk_written: int | None
    processes: int | None


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line that a replica wrote, without its line end. `at_ns` is nanoseconds since the epoch.

    The text is as it was written, carriage returns and control sequences included: `tui.text` makes it
    harmless. A line over 64 KiB comes in pieces with the same time.
    """

    replica_id: str
    at_ns: int
    text: str
    is_error_stream: bool = False


@dataclass(frozen=True, slots=True)
class Event:
    """Something happened to a replica.

    Kinds: created, started, ended (detail `exit code N`), removed, health (detail `healthy`, ...), out-of-memory,
    restarted, signalled, paused, resumed.
    """

    at: datetime
    kind: str
    service: str
    replica_id: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Progress:
    """One line of what a long action is doing, as the engine's own tool prints it."""

    text: str


@dataclass(frozen=True, slots=True)
class RunRequest:
    """A one-off run of a service's image, settings and mounts, with another command unless that is empty, arguments
    after either, and `files` of this machine under these paths, to read. It outlives its caller."""

    service: str
    command: Sequence[str]
    name: str
    labels: Mapping[str, str] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)
    arguments: Sequence[str] = ()
    files: Mapping[Path, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Removable:
    """Something `cleanup` would remove. `kind`: replica, network, volume, image. `size` in bytes, None if unknown; what
    several images share counts in each."""

    kind: str
    id: str
    name: str
    size: int | None


class Capability(StrEnum):
    """What an engine may lack. The value names it for people."""

    LOGS = "reading logs"
    SAMPLES = "measuring"
    CONTROL = "starting and stopping services"
    BUILD = "building"
    SCALE = "scaling"
    RUNS = "starting runs"
    INSIDE = "looking and running commands inside a service"
    CLEANUP = "cleaning up"


@dataclass(frozen=True, slots=True)
class Address:
    """What a client on this machine connects to, TCP. One that is not `lasting` ends with the engine's `close`."""

    host: str
    port: int
    lasting: bool = True

    @property
    def url(self) -> str:
        """`http://host:port`."""
        return f"http://[{self.host}]:{self.port}" if ":" in self.host else f"http://{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class NoWay:
    """Nothing on this machine can connect, and why, for people."""

    why: str


class Inventory(Protocol):
    """What there is and what happens to it. Every engine has it."""

    @property
    def info(self) -> EngineInfo:
        """Which engine this is."""

    def lacks(self, capability: Capability) -> str:
        """Why this engine has not got a capability, for people; empty where it has it. Calls that belong to it raise
        Lacking with the same reason."""

    async def close(self) -> None:
        """Gives back every connection. Streams still open, and later calls, raise EngineGone."""

    async def project(self) -> Project:
        """The stack's services as the engine resolves them, profiles included."""

    async def remembered(self) -> Project | None:
        """As its replicas tell it, where its files cannot be read, until these change; None without any."""

    async def replicas(self) -> list[Replica]:
        """Every replica and run of this stack, ended ones included, by service and number; runs after replicas."""

    async def record(self, replica_id: str) -> Mapping[str, Any]:
        """The engine's own record of a replica, raw, for a person to read. Untrusted, and with secrets."""

    def events(self) -> AsyncGenerator[Event]:
        """What happens to this stack's replicas, from this call on (not only from the first look on)."""


class Streams(Protocol):
    """What replicas write and use. Streams end when the replica is gone, and raise EngineGone when the engine is."""

    def attend(self, replica_ids: Collection[str]) -> None:
        """Says whom somebody looks at: where not all streams can be open at once, theirs are."""

    def stats(self, replica_id: str) -> AsyncGenerator[Sample]:
        """Samples of a replica, about one a second."""

    def logs(
        self,
        replica_id: str,
        *,
        since_ns: int | None = None,
        until_ns: int | None = None,
        tail: int | None = None,
        follow: bool = False,
    ) -> AsyncGenerator[LogLine]:
        """Of a replica's last `tail` lines (None: all) those from `since_ns` to `until_ns`, both inclusive; then
        new ones if `follow`. An engine may also give the last `tail` lines of that time."""


class Control(Protocol):
    """Starting, stopping and changing services, and what a start has to know.

    Actions that take long yield what they do; the action is over when the iterator ends, and has failed when it
    raises. Closing the iterator early (`aclose`) stops the action as far as that is possible.
    """

    def commands(self, action: str, services: Sequence[str] = (), replicas: Sequence[Replica] = ()) -> list[str]:
        """The command lines of the engine's own tool for an action, for people: those that are run, and for single
        replicas those that do the same. None where it has no tool.

        Actions: build, up, recreate, stop, restart, down of services (all if neither is named); up, stop, restart,
        remove, cancel of replicas.
        """

    async def owner(self) -> tuple[int, int]:
        """User and group id that a service must run as, so that what it writes belongs to the present user."""

    async def port_holder(self, port: Port) -> str | None:
        """Who holds a published port so that a service could not have it now; None if it is free."""

    async def next_free(self, port: Port, avoid: Collection[int | None] = ()) -> int | None:
        """The next port after a published one that a service could have and that is not among these; None: unknown."""

    def build(self, services: Sequence[str] = (), *, fresh: bool = False) -> AsyncGenerator[Progress]:
        """Builds the images of these services (all if none is named); `fresh` without any cache."""

    def up(self, services: Sequence[str] = (), *, recreate: bool = False) -> AsyncGenerator[Progress]:
        """Starts these services (all if none is named) and what they depend on, building what is missing."""

    def stop(self, services: Sequence[str] = ()) -> AsyncGenerator[Progress]:
        """Stops these services (all if none is named); their replicas and data stay. Runs go on."""

    def restart(self, services: Sequence[str] = ()) -> AsyncGenerator[Progress]:
        """Restarts these services (all if none is named), one log going on."""

    def down(self, *, volumes: bool = False) -> AsyncGenerator[Progress]:
        """Stops and removes every replica and run; with `volumes` the stack's own volumes too."""

    def scale(self, service: str, count: int) -> AsyncGenerator[Progress]:
        """Brings a service to this many replicas; the highest numbers go first."""

    async def signal(self, replica_id: str, signal: str) -> None:
        """Sends a signal by name (`TERM`, `PWR`, `KILL`) to a replica's first process."""

    async def end(self, replica_id: str, *, grace_seconds: float = 10) -> None:
        """Stops one replica or run: politely, then by force."""

    async def start_replica(self, replica_id: str) -> None:
        """Starts one ended (or created) replica again, its log going on."""

    async def restart_replica(self, replica_id: str) -> None:
        """Restarts one replica, its log going on."""

    async def remove(self, replica_id: str) -> None:
        """Removes one ended replica or run together with its log."""


class Runs(Protocol):
    """One-off runs, which outlive who started them."""

    async def start_run(self, request: RunRequest) -> Replica:
        """Starts a run in the background and returns it; it goes on when the caller ends. What the service depends on
        is not started. A run that cannot start leaves nothing behind."""


class Inside(Protocol):
    """What runs in a replica, and commands in it."""

    async def processes(self, replica_id: str) -> list[list[str]]:
        """What runs in a replica: a row each, after a row of titles; the command line last.

        Process ids are those of the engine's machine. Untrusted.
        """

    async def execute(
        self, service: str, command: Sequence[str], *, replica_id: str | None = None, timeout: float = 60
    ) -> tuple[int, str]:
        """Runs a command in a service: exit code, and stdout and then stderr as text.

        It runs in this replica; None: the first running one. Of each output only the first MiB.
        Raises EngineError if the service is not running, or the command after `timeout` seconds.
        """

    async def shell_command(
        self,
        service: str,
        command: Sequence[str] = (),
        *,
        env: Mapping[str, str] | None = None,
        terminal: bool = True,
        replica_id: str | None = None,
    ) -> list[str]:
        """The host's command line that runs `command` (a shell if none is given) in a service.

        It runs in this replica; None: the first running one. `terminal`: whether the caller has one to give to it.
        """


class Housekeeping(Protocol):
    """What the engine keeps of a stack, and its removal."""

    async def removables(self) -> list[Removable]:
        """What `remove_all` would remove, with sizes. Never a mounted folder."""

    def remove_all(self) -> AsyncGenerator[Progress]:
        """Removes everything of this stack that the engine keeps: replicas, networks, volumes, built images."""


class Reach(Protocol):
    """Addresses. No code outside the engine makes one."""

    async def reach(self, replica: Replica, port: int) -> Address | NoWay:
        """What a client on this machine connects to for a replica's own TCP port, or why nothing can."""


class Engine(Inventory, Streams, Control, Runs, Inside, Housekeeping, Reach, Protocol):
    """One stack's engine, all of it. Every call may raise EngineError; EngineGone when nothing answers.

    Ask for the small protocol where that is enough.
    """


def demand(engine: Inventory, *capabilities: Capability) -> None:
    """Raises Lacking if the engine has not got all of these."""
    for capability in capabilities:
        if why := engine.lacks(capability):
            raise Lacking(f"{capability.capitalize()} is not possible here: {why}")


async def drain(progress: AsyncIterator[Progress]) -> list[str]:
    """Runs a long action to its end and returns what it said."""
    return [step.text async for step in progress]
