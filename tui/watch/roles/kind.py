"""What a role's module says of it beside how it is recognised: its line on the screen, its page's login."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar

from tui.clients.http import ClientError, HttpClient, Trouble
from tui.engine.interface import Engine, Replica
from tui.stack.model import Project, Service, Stack
from tui.watch.cluster import Cluster
from tui.watch.links import page_urls
from tui.watch.words import ago, moment

_UNITS = ((1024**3, "GiB"), (1024**2, "MiB"))
# Characters of a name.
NAME = 40
MASK = "••••••••"


@dataclass(frozen=True, slots=True)
class Login:
    """A user and the password, which no representation shows."""

    user: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Target:
    """A replica that is asked, and where."""

    engine: Engine
    stack: Stack
    project: Project
    replica: Replica

    async def urls(self) -> dict[int, str]:
        """Its addresses by its own ports, the likeliest first. Raises EngineError."""
        return await page_urls(self.engine, self.stack, self.project, self.replica)

    async def url(self) -> str | None:
        """The likeliest of them."""
        return next(iter((await self.urls()).values()), None)

    async def service(self) -> Service:
        """What its files say now: the first start may have made the credentials. Raises EngineError, StackError."""
        return (await self.engine.project()).services.get(
            self.replica.service, self.project.services[self.replica.service]
        )


class Asker:
    """Asks one replica as long as it runs. `seconds` between two questions."""

    seconds: ClassVar[float] = 5.0

    def __init__(self, target: Target) -> None:
        self.target = target
        self._client: HttpClient | None = None

    async def line(self) -> str:
        """What it says now; empty if there is nothing to ask. Raises ClientError, EngineError."""
        raise NotImplementedError

    async def close(self) -> None:
        """Gives back the connection."""
        if self._client is not None:
            await self._client.close()
            self._client = None


@dataclass(frozen=True, slots=True)
class Watched:
    """A role: who asks it while it runs, else what the Spark master says of it; the login of its page, and whether
    there may be one, as far as that can be told without asking."""

    asker: type[Asker] | None = None
    line: Callable[[Replica, Cluster], str] | None = None
    login: Callable[[Engine, Service, Replica], Awaitable[Login | None]] | None = None
    has_login: Callable[[Service], bool] = lambda service: False


def from_variables(settings: Mapping[str, str], pairs: Sequence[tuple[str, str]]) -> Login | None:
    """The login in the first pair of variables that is there."""
    found = [(settings.get(user), settings.get(password)) for user, password in pairs]
    return next((Login(user, password) for user, password in found if user and password), None)


def when(began: datetime | None, ended: datetime | None, now: datetime) -> str:
    """How long ago something ended, or since when it goes on; empty where neither is known."""
    if ended is not None:
        return f" {ago((now - ended).total_seconds())}"
    # The answer is some seconds old when it is read: a time is true longer than how long ago it was.
    return f" since {moment(began, now)}" if began is not None else ""


def part_of(used: int, total: int) -> str:
    """`0.5 of 2 GiB`, of bytes."""
    size, unit = next(((size, unit) for size, unit in _UNITS if total >= size), _UNITS[-1])
    return f"{used / size:.3g} of {total / size:.3g} {unit}"


def trouble_text(error: ClientError) -> str:
    """A failed question in few words."""
    if error.kind is Trouble.STATUS:
        return f"it answers with status {error.status}"
    if error.kind in (Trouble.ANSWER, Trouble.TOO_LARGE):
        return "its answer is not understood"
    return "it does not answer"
