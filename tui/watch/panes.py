"""The places on the screen: one for each replica, and which there are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

from tui.engine.interface import Engine, Replica, State
from tui.stack.model import Project, Role, Service, Stack
from tui.watch.dependencies import Wait, waits_text
from tui.watch.log_ring import LogRing
from tui.watch.names import short_name
from tui.watch.samples import Samples
from tui.watch.words import UNKNOWN, is_well


class Pane:
    """One replica's place on the screen; it stays the same pane when the replica is restarted or recreated.

    `key` is stable (`service/number`, or the run's id). `replica` is None while there is none. `word` and `well` are
    the state in a word as `status` shows it; `note` explains it when it is not well (health output, exit code, waits
    for whom and how long). `links` are resolved ones. `ready_seconds` is how long the last start took until well, if
    that was seen. `version` changes with all of these, not with samples and log lines: those have counters.
    """

    def __init__(self, engine: Engine, key: str, service: Service | None, role: Role, name: str) -> None:
        self.key = key
        self.name = name
        self.service = service
        self.role = role
        self.replica: Replica | None = None
        self.word = UNKNOWN
        self.well = False
        self.reason = ""
        self.waits: Sequence[Wait] = ()
        self.ready_seconds: float | None = None
        self.version = 0
        self.samples = Samples()
        self.log = LogRing(engine)
        self.links: Sequence[tuple[str, str]] = ()
        self.line = ""
        """What the service itself says of its work, where its role is one that is asked."""
        self.cores = engine.info.cores
        """Of the machine that runs it; None is unknown."""

    @property
    def is_run(self) -> bool:
        """Whether this is a job's run."""
        return self.replica is not None and self.replica.is_run

    @property
    def is_running(self) -> bool:
        """Whether its replica runs, well or not."""
        return self.replica is not None and self.replica.state is State.RUNNING

    @property
    def note(self) -> str:
        """What explains the word, as of now."""
        return waits_text(self.waits, datetime.now(UTC)) if self.waits else self.reason

    def show(self, *, word: str, reason: str, name: str, waits: Sequence[Wait] = (), line: str = "") -> None:
        """Takes over what is shown of the replica; the version changes if any of it did."""
        shown = (word, reason, waits, name, line)
        if shown == (self.word, self.reason, self.waits, self.name, self.line):
            return
        well = is_well(word)
        if well and not self.well and self.word != UNKNOWN and self.replica and self.replica.started_at:
            self.ready_seconds = max(0.0, (datetime.now(UTC) - self.replica.started_at).total_seconds())
        self.word, self.reason, self.waits, self.name, self.line = shown
        self.well = well
        self.version += 1

    def show_links(self, links: Sequence[tuple[str, str]]) -> None:
        """Takes over the links; the version changes if they did."""
        if list(links) != list(self.links):
            self.links = tuple(links)
            self.version += 1


def key_of(replica: Replica) -> str:
    """The key of the pane that shows this replica."""
    return replica.labels["run"] if replica.is_run else f"{replica.service}/{replica.number}"


def placed(replicas: Iterable[Replica]) -> dict[str, Replica]:
    """Which replica stands at each key. While compose recreates one there are two; the old one until it has ended."""
    found: dict[str, Replica] = {}
    for replica in replicas:
        key = key_of(replica)
        other = found.get(key)
        if other is None or _rank(replica) > _rank(other):
            found[key] = replica
    return found


def expected(project: Project) -> list[str]:
    """The keys that there are whether anything runs or not: those the project itself asks for."""
    services = (service for service in project.services.values() if not service.profiles)
    return [f"{service.name}/{number}" for service in services for number in range(1, service.replicas + 1)]


def in_order(project: Project, replicas: Mapping[str, Replica]) -> list[str]:
    """The keys of all panes: the project's order, then the number; runs last, the newest first."""
    order = {name: index for index, name in enumerate(project.services)}
    kept = {*expected(project), *(key for key, replica in replicas.items() if not replica.is_run)}

    def place(key: str) -> tuple[int, str, int]:
        service, _, number = key.rpartition("/")
        return order.get(service, len(order)), service, int(number)

    runs = [replica for replica in replicas.values() if replica.is_run]
    runs.sort(key=lambda run: (run.created_at is not None, run.created_at), reverse=True)
    return [*sorted(kept, key=place), *map(key_of, runs)]


def make(engine: Engine, stack: Stack, project: Project, key: str, replica: Replica | None) -> Pane:
    """A new pane."""
    name = replica.service if replica else key.rpartition("/")[0]
    service = project.services.get(name)
    role = stack.role(name)
    return Pane(engine, key, service, role, pane_name(project, key, replica))


def pane_name(project: Project, key: str, replica: Replica | None) -> str:
    """What a person calls what belongs here."""
    if replica is not None:
        return short_name(replica, project)
    service, _, number = key.rpartition("/")
    return service if project.services[service].replicas == 1 else f"{service}-{number}"


def _rank(replica: Replica) -> tuple[bool, datetime]:
    return replica.state is not State.CREATED, replica.created_at or datetime.min.replace(tzinfo=UTC)
