"""What a pane says of its service's own work, in one line, by its role: the Spark master's words of master and
workers, and the answers of services that are asked every few seconds while they run."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from functools import partial

from tui.clients.http import ClientError
from tui.engine.interface import Engine, EngineError, Health, Replica, State
from tui.stack.errors import StackError
from tui.stack.model import Project, Stack
from tui.watch.cluster import Cluster
from tui.watch.roles import spark_line, watched
from tui.watch.roles.kind import Asker, Target, trouble_text
from tui.watch.supervise import OURS, Supervisor

# The longest that one answer may take, in seconds.
LONGEST = 12.0
# A service is kept busy by our questions for at most this part of the time.
BUSY = 0.05
UNKNOWN = "unknown: "

_Key = tuple[str, datetime | None, object]


class RoleLines:
    """Asks every replica that can be asked, each in a task of its own: `update` says which replicas there are;
    `changed` is called after an answer that is another one than before."""

    def __init__(
        self, engine: Engine, stack: Stack, project: Project, supervisor: Supervisor, changed: Callable[[], None]
    ) -> None:
        self._engine = engine
        self._stack = stack
        self._project = project
        self._supervisor = supervisor
        self._changed = changed
        self._lines: dict[_Key, str] = {}
        self._tasks: dict[_Key, asyncio.Task[None]] = {}

    def renew(self, stack: Stack, project: Project) -> None:
        """Goes on with what the stack's files say now."""
        self._stack, self._project = stack, project
        # Who asks depends on the role.
        self.update(())

    def update(self, replicas: Iterable[Replica]) -> None:
        """What is there now."""
        here = {_key(one): one for one in replicas if _can_answer(one) and watched(self._stack, one.service).asker}
        for key in [key for key in self._tasks if key not in here]:
            self._tasks.pop(key).cancel()
            self._lines.pop(key, None)
        for key, replica in here.items():
            if key not in self._tasks:
                self._tasks[key] = self._supervisor.keep(
                    f"what is asked of {replica.name}", partial(self._ask, key, replica), partial(self._forget, key)
                )

    def of(self, replica: Replica, cluster: Cluster) -> str:
        """The line of a replica; empty where nothing is known to say."""
        asked = self._lines.get(_key(replica)) if _can_answer(replica) else None
        return asked if asked is not None else spark_line(self._stack, replica, cluster)

    def _forget(self, key: _Key, error: Exception, pause: float) -> None:
        self._lines[key] = UNKNOWN + OURS
        self._changed()

    async def _ask(self, key: _Key, replica: Replica) -> None:
        asker = asker_of(self._engine, self._stack, self._project, replica)
        try:
            while asker is not None:
                began = time.monotonic()
                line = await answer(asker)
                if self._lines.get(key) != line:
                    self._lines[key] = line
                    self._changed()
                await asyncio.sleep(max(asker.seconds, (time.monotonic() - began) / BUSY))
        finally:
            if asker is not None:
                await asker.close()


def asker_of(engine: Engine, stack: Stack, project: Project, replica: Replica) -> Asker | None:
    """Who asks this replica; None if nobody does."""
    kind = watched(stack, replica.service).asker
    known = replica.service in project.services
    return kind(Target(engine, stack, project, replica)) if kind and known and _can_answer(replica) else None


async def answer(asker: Asker) -> str:
    """What a service says, or why that is unknown."""
    try:
        async with asyncio.timeout(LONGEST):
            return await asker.line()
    except ClientError as error:
        return UNKNOWN + trouble_text(error)
    except TimeoutError:
        return f"{UNKNOWN}it takes longer than {LONGEST:.0f} s to answer"
    except (EngineError, StackError) as error:
        return UNKNOWN + " ".join(str(error).split())


async def role_lines(
    engine: Engine, stack: Stack, project: Project, replicas: Sequence[Replica], cluster: Cluster
) -> dict[str, str]:
    """The line of each replica that has one, by the replica's id: asked once."""

    async def one(replica: Replica) -> str:
        asker = asker_of(engine, stack, project, replica)
        if asker is None:
            return spark_line(stack, replica, cluster)
        try:
            return await answer(asker)
        except Exception as error:
            await Supervisor().note(f"what is asked of {replica.name}", error)
            return UNKNOWN + OURS
        finally:
            await asker.close()

    lines = await asyncio.gather(*map(one, replicas))
    return {replica.id: line for replica, line in zip(replicas, lines, strict=True) if line}


def _can_answer(replica: Replica) -> bool:
    return replica.state is State.RUNNING and replica.health is not Health.STARTING and not replica.is_run


def _key(replica: Replica) -> _Key:
    return replica.id, replica.started_at, replica.ports
