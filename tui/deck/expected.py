"""What is painted before the engine has answered: the layout's services, of which nothing is known yet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tui.engine.interface import Replica, Sample
from tui.stack.model import Role, Service, Stack
from tui.watch.live import LogEntry


class NoSamples:
    """No sample yet."""

    total = 0
    latest: Sample | None = None
    age_seconds: float | None = None

    def cpu(self, count: int) -> Sequence[float | None]:
        """None."""
        return ()

    def memory(self, count: int) -> Sequence[int | None]:
        """None."""
        return ()

    def rates(self) -> tuple[float | None, float | None, float | None, float | None]:
        """Unknown."""
        return (None, None, None, None)


class NoLog:
    """No log yet."""

    first = 0
    total = 0
    older: int | None = 0
    version = 0

    def row(self, number: int) -> LogEntry | None:
        """None."""
        return None

    def rows(self, start: int, end: int) -> list[LogEntry]:
        """None."""
        return []

    async def load_older(self, count: int = 1000) -> int:
        """Nothing to load."""
        return 0

    async def load(self, gap: int, count: int = 1000) -> int:
        """Nothing to load."""
        return 0

    def past(self, first: int | None = None) -> None:
        """Nothing lies before."""

    def show(self, past: object) -> None:
        """Nothing to show."""

    @property
    def parts(self) -> tuple[range, ...]:
        """One empty range."""
        return (range(0, 0),)

    def texts(self) -> Iterator[tuple[int, str]]:
        """None."""
        return iter(())

    def hold(self) -> None:
        """Nothing to hold."""

    def drop_older(self) -> None:
        """Nothing to drop."""


class Expected:
    """The pane of a service that the layout names, until the watch has the real one."""

    service: Service | None = None
    replica: Replica | None = None
    word = "looking"
    well = False
    note = ""
    version = 0
    links: Sequence[tuple[str, str]] = ()
    line = ""
    cores: int | None = None
    is_run = False
    is_running = False

    def __init__(self, name: str, role: Role) -> None:
        self.key = f"{name}/1"
        self.name = name
        self.role = role
        self.samples = NoSamples()
        self.log = NoLog()


def expected(stack: Stack) -> dict[str, Expected]:
    """The services that a layout names; a pattern stands for the fixed workers that match it."""
    layout = stack.layout
    fixed = layout.scale.fixed if layout.scale else ()
    names: list[str] = []
    for entry in layout.services:
        if "*" in entry.pattern:
            names += [name for name in fixed if name not in names and layout.service(name) is entry]
        else:
            names.append(entry.pattern)
    panes = [Expected(name, layout.service(name).role) for name in names]
    return {pane.key: pane for pane in panes}
