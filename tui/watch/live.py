"""The live state of one stack: what screens, `status --watch`, tests and the benchmark read.

Everything here runs on one event loop and never blocks it. Nobody is called back per line or per sample: readers
compare counters (`version`, `LogRing.total`, `Samples.total`) on their own tick and read what is new.
"""
# THE CONTRACT (signatures are binding for tui/deck; bodies, private names and modules are the watch's own affair).

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from tui.clients.spark_master import MasterState
from tui.engine.interface import Engine, Replica, Sample
from tui.stack.model import Project, Role, Service, Stack


@dataclass(frozen=True, slots=True)
class LogEntry:
    """A row of a log. `kind`: `line`; `mark` (a replica was started, ended, replaced: `text` says it); `gap`
    (`skipped` lines between the rows around it are not held; `LogRing.load` brings them back). `level` is one of
    error, warn, info, debug or None; `continues` says that the row belongs to the stack trace begun above."""

    number: int
    at_ns: int
    text: str
    kind: str = "line"
    is_error_stream: bool = False
    level: str | None = None
    continues: bool = False
    skipped: int | None = None


class LogRing(Protocol):
    """One pane's log: bounded in lines and bytes, rows by absolute number, never renumbered while held.

    Rows `first <= n < total` are held. `older` is how many lines before `first` were seen and let go or lie in the
    engine (None: unknown, but there are some; 0: none).
    """

    first: int
    total: int
    older: int | None
    version: int

    def row(self, number: int) -> LogEntry | None: ...
    def rows(self, start: int, end: int) -> list[LogEntry]: ...
    async def load_older(self, count: int = 1000) -> int:
        """Brings up to `count` older lines from the engine before `first` (numbers below `first`, negative ones too);
        they stay until `drop_older`. Returns how many came. Raises EngineError."""

    async def load(self, gap: int) -> int:
        """Fills the gap row of that number. Returns how many lines came. Raises EngineError."""

    def drop_older(self) -> None: ...


class Samples(Protocol):
    """A pane's samples, newest last, bounded; rates in bytes a second from consecutive samples, None if unknown."""

    total: int

    @property
    def latest(self) -> Sample | None: ...
    @property
    def age_seconds(self) -> float | None: ...
    def cpu(self, count: int) -> Sequence[float | None]: ...
    def memory(self, count: int) -> Sequence[int | None]: ...
    def rates(self) -> tuple[float | None, float | None, float | None, float | None]:
        """Network received and sent, disk read and written."""


class Pane(Protocol):
    """One replica's place on the screen; it stays the same pane when the replica is restarted or recreated.

    `key` is stable (`service/number`, or the run's id). `replica` is None while there is none. `word` and `well` are
    the state in a word as `status` shows it; `note` explains it when it is not well (health output, exit code, waits
    for whom and how long). `links` are resolved ones.
    """

    key: str
    name: str
    service: Service | None
    role: Role
    replica: Replica | None
    word: str
    well: bool
    note: str
    version: int
    samples: Samples
    log: LogRing
    links: Sequence[tuple[str, str]]
    spark_line: str

    @property
    def is_run(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Outage:
    """The engine does not answer: since when, its own words, and when it is tried again."""

    since: datetime
    text: str
    retry_at: datetime


@dataclass(frozen=True, slots=True)
class Host:
    """The machine: CPU in percent of all cores, memory in bytes."""

    cpu_percent: float | None
    memory_used: int | None
    memory_total: int | None


class StackWatch(Protocol):
    """`StackWatch(engine, stack, project)`; `await start()`, then read; `await close()` ends every task.

    `panes` in the project's order, runs last (newest first); `version` changes with the set of panes, the master's
    state, the outage. `attend(keys)` says whose logs somebody looks at (others are read too, but may be read lazily);
    `refresh()` looks again at once.
    """

    version: int
    panes: Mapping[str, Pane]
    spark: MasterState | None
    spark_at: datetime | None
    outage: Outage | None
    host: Host

    def __init__(self, engine: Engine, stack: Stack, project: Project) -> None: ...
    async def start(self) -> None: ...
    async def close(self) -> None: ...
    def attend(self, keys: Sequence[str]) -> None: ...
    async def refresh(self) -> None: ...
    async def page(self, key: str) -> None: ...
