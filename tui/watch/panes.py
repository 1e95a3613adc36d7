"""The places on the screen: one for each replica, and which there are."""

from __future__ import annotations

from collections.abc import Sequence

from tui.engine.interface import Engine, Replica, State
from tui.stack.model import Project, Role, Service, Stack
from tui.watch.log_ring import LogRing
from tui.watch.places import pane_name, service_of
from tui.watch.samples import Samples
from tui.watch.scene import Condition
from tui.watch.words import LOOKING, UNKNOWN


class Pane:
    """One replica's place on the screen; it stays the same pane when the replica is restarted or recreated.

    `key` is stable (`service/number`, or the run's id). `replica` is None while there is none. `word` and `well` are
    the state in a word as `status` shows it; `note` explains it when it is not well (health output, exit code, waits
    for whom and how long). `links` are resolved ones. `version` changes with all of these, not with samples and log
    lines: those have counters.
    """

    def __init__(self, engine: Engine | None, key: str, service: Service | None, role: Role, name: str) -> None:
        self.key = key
        self.name = name
        self.service = service
        self.role = role
        self.replica: Replica | None = None
        self.condition = Condition(UNKNOWN)
        self.version = 0
        self.samples = Samples()
        self.log = LogRing(engine)
        self.links: Sequence[tuple[str, str]] = ()
        self.line = ""
        """What the service itself says of its work, where its role is one that is asked."""
        self.cores = engine.info.cores if engine else None
        """Of the machine that runs it; None is unknown."""

    def renew(self, stack: Stack, project: Project) -> None:
        """Takes over what the stack's files say of its service now."""
        name = self.replica.service if self.replica else self.key.rpartition("/")[0]
        self.service, self.role = project.services.get(name), stack.role(name)
        self.version += 1

    @property
    def is_run(self) -> bool:
        """Whether this is a job's run."""
        return self.replica is not None and self.replica.is_run

    @property
    def is_running(self) -> bool:
        """Whether its replica runs, well or not."""
        return self.replica is not None and self.replica.state is State.RUNNING

    @property
    def word(self) -> str:
        """The state in a word."""
        return self.condition.word

    @property
    def well(self) -> bool:
        """Whether all is as it should be."""
        return self.condition.well

    @property
    def note(self) -> str:
        """What explains the word, as of now."""
        return self.condition.note

    def show(self, condition: Condition, name: str, line: str = "") -> None:
        """Takes over what is shown of the replica; the version changes if any of it did."""
        if (condition, name, line) == (self.condition, self.name, self.line):
            return
        self.condition, self.name, self.line = condition, name, line
        self.version += 1

    def show_links(self, links: Sequence[tuple[str, str]]) -> None:
        """Takes over the links; the version changes if they did."""
        if list(links) != list(self.links):
            self.links = tuple(links)
            self.version += 1


def make(engine: Engine, stack: Stack, project: Project, key: str, replica: Replica | None) -> Pane:
    """A new pane."""
    name = replica.service if replica else service_of(key)
    service = project.services.get(name)
    role = stack.role(name)
    return Pane(engine, key, service, role, pane_name(project, key, replica))


def expected(stack: Stack) -> dict[str, Pane]:
    """What is painted before the engine has answered: the services that a layout names, of which nothing is known.

    A pattern stands for the fixed workers that match it.
    """
    layout = stack.layout
    fixed = layout.scale.fixed if layout.scale else ()
    names: list[str] = []
    for entry in layout.services:
        if "*" in entry.pattern:
            names += [name for name in fixed if name not in names and layout.service(name) is entry]
        else:
            names.append(entry.pattern)
    panes = [Pane(None, f"{name}/1", None, layout.service(name).role, name) for name in names]
    for pane in panes:
        pane.condition = Condition(LOOKING)
    return {pane.key: pane for pane in panes}
