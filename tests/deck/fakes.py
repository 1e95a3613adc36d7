"""A watch whose panes, samples and lines are a script: for pictures that are the same each time."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from tui.clients.spark_master import MasterState
from tui.engine.interface import Engine, Health, Replica, Sample, State
from tui.stack.catalogue import find_stack
from tui.stack.model import Mount, Port, Project, Role, Service, Stack
from tui.watch.cluster import Cluster
from tui.watch.entries import row_of_entry
from tui.watch.live import Host, LogEntry, Outage
from tui.watch.seam import Row
from tui.watch.supervise import Supervisor

_HOME = TemporaryDirectory(prefix="sparkdeck-test-")
NOW = datetime(2026, 11, 21, 12, 0, 0, tzinfo=UTC)
GIB = 1024**3
MIB = 1024**2


class FakeSamples:
    """Samples of a curve; `total` of them were seen."""

    def __init__(self, seed: int, *, count: int = 240, limit: int = 2 * GIB) -> None:
        self.total = count
        self._seed = seed
        self._limit = limit
        self.age_seconds: float | None = 0.4 if count else None

    def _at(self, index: int) -> Sample:
        wave = 40 + 38 * math.sin((index + 17 * self._seed) / (6 + self._seed)) + (index * 7 + self._seed * 13) % 11
        memory = int((300 + 60 * self._seed) * MIB + 80 * MIB * math.sin(index / 30))
        return Sample("x", NOW, max(0.2, wave), memory, self._limit, 10**6, 10**6, 0, 0, 40 + self._seed)

    @property
    def latest(self) -> Sample | None:
        return self._at(self.total - 1) if self.total else None

    def cpu(self, count: int) -> Sequence[float | None]:
        return [self._at(index).cpu_percent for index in range(max(0, self.total - count), self.total)]

    def memory(self, count: int) -> Sequence[int | None]:
        return [self._at(index).memory for index in range(max(0, self.total - count), self.total)]

    def rates(self) -> tuple[float | None, float | None, float | None, float | None]:
        if not self.total:
            return (None, None, None, None)
        return (1234.0 * (self._seed + 1), 830.0 * self._seed, 0.0, 45_000.0 * self._seed)


class FakeLog:
    """Rows that a test appends; `older_lines` are what `load_older` brings."""

    def __init__(self) -> None:
        self.entries: list[LogEntry] = []
        self.first = 0
        self.changes = 0
        self.held = False
        self.older_lines: list[str] = []
        self.gap: tuple[int, int] | None = None
        self.loaded: list[int] = []

    @property
    def total(self) -> int:
        return self.first + len(self.entries)

    @property
    def version(self) -> int:
        return self.total + self.changes

    @property
    def older(self) -> int | None:
        return len(self.older_lines)

    @property
    def parts(self) -> tuple[range, ...]:
        return (range(self.first, self.total),)

    def write(self, *texts: str, level: str | None = None, at: float = 0.0, **fields: object) -> None:
        for text in texts:
            at_ns = int((NOW - timedelta(seconds=60)).timestamp() * 1e9) + self.total * 250_000_000 + int(at * 1e9)
            self.entries.append(LogEntry(self.total, at_ns, text, level=level, **fields))  # type: ignore[arg-type]

    def let_go(self, count: int) -> None:
        """The oldest rows leave the ring."""
        self.older_lines += [entry.text for entry in self.entries[:count]]
        del self.entries[:count]
        self.first += count

    def row(self, number: int) -> LogEntry | None:
        at = number - self.first
        return self.entries[at] if 0 <= at < len(self.entries) else None

    def rows(self, start: int, end: int) -> list[LogEntry]:
        return [row for number in range(start, end) if (row := self.row(number)) is not None]

    def raw(self, start: int, end: int) -> list[Row]:
        return [row_of_entry(entry) for entry in self.rows(start, end)]

    def texts(self) -> Iterator[tuple[int, str]]:
        return ((entry.number, entry.text) for entry in self.entries)

    def hold(self) -> None:
        self.held = True

    def drop_older(self) -> None:
        self.held = False

    async def load_older(self, count: int = 1000) -> int:
        lines, self.older_lines = self.older_lines[-count:], self.older_lines[:-count]
        start = self.first - len(lines)
        at = self.entries[0].at_ns if self.entries else 0
        self.entries[:0] = [LogEntry(start + index, at - 1, text) for index, text in enumerate(lines)]
        self.first = start
        self.changes += 1
        return len(lines)

    def past(self, first: int | None = None, held: object = None) -> FakePast:
        return FakePast(self)

    def show(self, past: object) -> None:
        raise AssertionError("nothing to show")

    async def load(self, gap: int, count: int = 1000) -> int:
        self.loaded.append(gap)
        self.entries[gap - self.first] = LogEntry(gap, 0, "a line that was skipped")
        self.changes += 1
        return 1


class FakePast:
    """The way back through a fake log's older lines."""

    def __init__(self, log: FakeLog) -> None:
        self._lines = list(log.older_lines)
        self._first = log.first
        self._at_ns = log.entries[0].at_ns if log.entries else 0

    @property
    def ended(self) -> bool:
        return not self._lines

    def fork(self) -> FakePast:
        return copy(self)

    async def page(self, count: int) -> list[LogEntry]:
        lines, self._lines = self._lines[-count:], self._lines[:-count]
        self._first -= len(lines)
        return [LogEntry(self._first + index, self._at_ns - 1, text) for index, text in enumerate(lines)]


@dataclass(eq=False)
class FakePane:
    """See `tui.watch.live.Pane`."""

    key: str
    name: str
    service: Service | None
    role: Role
    replica: Replica | None
    word: str = "healthy"
    well: bool = True
    note: str = ""
    version: int = 0
    samples: FakeSamples = field(default_factory=lambda: FakeSamples(1))
    log: FakeLog = field(default_factory=FakeLog)
    links: Sequence[tuple[str, str]] = ()
    line: str = ""
    cores: int | None = 4

    @property
    def is_run(self) -> bool:
        return self.replica is not None and self.replica.is_run

    @property
    def is_running(self) -> bool:
        return self.replica is not None and self.replica.state is State.RUNNING


class FakeWatch:
    """See `tui.watch.live.StackWatch`."""

    def __init__(self, panes: Sequence[FakePane]) -> None:
        self.version = 0
        self.panes = {pane.key: pane for pane in panes}
        self.spark: MasterState | None = None
        self.cluster = Cluster()
        self.outage: Outage | None = None
        self.host = Host(23.4, 11 * GIB, 24 * GIB)
        self.supervisor = Supervisor()
        self.attended: list[str] = []
        self.closed = False

    async def start(self) -> None:
        pass

    async def close(self) -> None:
        self.closed = True

    def attend(self, keys: Sequence[str]) -> None:
        self.attended = list(keys)

    async def refresh(self) -> None:
        pass

    async def page(self, key: str) -> None:
        pass


JAVA = [
    "26/11/21 11:58:02 INFO Worker: Asked to launch executor app-1/0 for flight-delay",
    "26/11/21 11:58:03 INFO ExecutorRunner: Launched executor 0 on 172.18.0.3 with 2 cores, 1024 MiB",
    "26/11/21 11:58:04 WARN MemoryManager: Total allocation exceeds 95% of heap memory, scaling row groups",
    "26/11/21 11:58:05 INFO Executor: Running task 3.0 in stage 2.0 (TID 41)",
]
TRACE = [
    "26/11/21 11:58:06 ERROR Executor: Exception in task 3.0 in stage 2.0 (TID 41)",
    "java.lang.OutOfMemoryError: Java heap space",
    "\tat java.base/java.util.Arrays.copyOf(Arrays.java:3537)",
    "\tat org.apache.spark.sql.execution.UnsafeRow.copy(UnsafeRow.java:491)",
]


def layout_stack() -> Stack:
    """The bundled flight-delay, whose settings are kept where a test may write."""
    return replace(find_stack("flight-delay", Path("/")), home=Path(_HOME.name))


EXTRA = "spark-worker-extra"
_PORTS = {"mlflow": 5000, "jupyter": 8888}


def layout_project(names: Sequence[str]) -> Project:
    """A project with these services, each with settings to look at."""
    environment = {"SPARK_MODE": "worker", "AWS_SECRET_ACCESS_KEY": "hunter2", "TZ": "UTC"}
    return Project(
        "fd",
        {
            name: Service(
                name,
                image="spark:3.5.9",
                environment=environment,
                ports=() if name == EXTRA else (Port(_PORTS.get(name, 8080), None),),
                mounts=(Mount("bind", "/home/me/work/data", "/data"), Mount("bind", "/home/me/apps", "/apps")),
                profiles=("extra",) if name == EXTRA else (),
                has_health_check=True,
            )
            for name in (*names, EXTRA)
        },
    )


SERVICES = ["spark-master", *(f"spark-worker-{number}" for number in range(1, 5)), "spark-submit", "mlflow", "jupyter"]


def replica(service: str, **fields: object) -> Replica:
    """A replica up for three minutes."""
    values: dict[str, object] = {
        "state": State.RUNNING,
        "health": Health.HEALTHY,
        "started_at": NOW - timedelta(minutes=3, seconds=5),
        "image": "spark:3.5.9",
        **fields,
    }
    return Replica(f"{service}-0123456789ab", f"fd-{service}-1", service, 1, **values)  # type: ignore[arg-type]


def panes_of(stack: Stack, project: Project) -> list[FakePane]:
    """Panes of every service with curves and lines; one worker is not registered, one down."""
    panes = []
    for seed, name in enumerate(name for name in project.services if name != EXTRA):
        role = stack.layout.service(name).role
        pane = FakePane(f"{name}/1", name, project.services[name], role, replica(name), samples=FakeSamples(seed))
        if role is Role.SPARK_WORKER:
            pane.line = "1 of 2 cores, 1.0 GiB of 2.0 GiB"
        pane.log.write(*JAVA[:2], level="info")
        pane.log.write(JAVA[2], level="warn")
        pane.log.write(JAVA[3], level="info")
        pane.log.write(TRACE[0], level="error")
        pane.log.write(*TRACE[1:], continues=True)
        pane.log.write(*(f"{JAVA[3]} again {number}" for number in range(12)), level="info")
        if role in (Role.SPARK_MASTER, Role.MLFLOW, Role.JUPYTER):
            pane.links = ((name, f"http://localhost:{8080 + seed}/"),)
        panes.append(pane)
    return panes


def sick(panes: Sequence[FakePane]) -> None:
    """Something of everything that can be wrong."""
    panes[3].word, panes[3].well, panes[3].note = "not registered", False, "the Spark master does not know it"
    panes[4].replica = replica(
        panes[4].name, state=State.ENDED, exit_code=137, out_of_memory=True, ended_at=NOW - timedelta(seconds=42)
    )
    panes[4].word, panes[4].well, panes[4].note = "ended", False, "ended with exit code 137, out of memory"
    panes[5].replica = None
    panes[5].word, panes[5].well = "down", False
    panes[5].samples = FakeSamples(5, count=0)
    panes[5].log = FakeLog()


class Clock:
    """A time that stands still unless told."""

    def __init__(self) -> None:
        self.at = NOW

    def __call__(self) -> datetime:
        return self.at


async def fake_open(engine: Engine) -> Engine:
    """The engine itself."""
    return engine


Opener = Callable[[Stack], Engine]
