"""A cluster in memory: a scripted engine with a Spark master that really answers."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.clients import conftest
from tests.scripted_engine import ScriptedEngine
from tests.spark_master import Master
from tui.engine.interface import Replica
from tui.stack.model import Layout, Link, Port, Project, Role, ScaleSpec, Service, ServiceLayout, Stack

serve = conftest.serve

PROJECT = Project("demo", {"master": Service("master"), "first": Service("first"), "more": Service("more")})
LAYOUT = Layout(
    "demo",
    "Demo",
    services=(
        ServiceLayout("master", Role.SPARK_MASTER, links=(Link("Spark master", 8080),)),
        ServiceLayout("first", Role.SPARK_WORKER),
        ServiceLayout("more", Role.SPARK_WORKER),
    ),
    scale=ScaleSpec("more", ("first",)),
)


class Cluster:
    """`engine` runs it, `master` knows what is in it."""

    def __init__(self, folder: Path, url: str, master: Master) -> None:
        self.engine = ScriptedEngine(PROJECT)
        self.stack = Stack("demo", folder, (), folder, layout=LAYOUT)
        self.master = master
        self._port = urlsplit(url).port

    def start(self, *numbers: int) -> list[Replica]:
        """The master, the fixed worker, and of the scalable ones these; all are registered."""
        self.engine.add("master", ports=(Port(8080, self._port, "127.0.0.1"),))
        return [self.join("first", 1), *(self.join("more", number) for number in numbers)]

    def join(self, service: str, number: int, **fields: Any) -> Replica:
        """A worker that is registered."""
        made = self.engine.add(service, number, **fields)
        self.master.add(f"{service}-{number}", made.host)
        return made

    def worker(self, name: str) -> dict[str, Any]:
        """What the master says of a worker, to change."""
        return next(one for one in self.master.workers if one["id"] == name)

    def did(self) -> list[str]:
        """What the engine was asked to change."""
        return [name for name, _ in self.engine.actions]


@pytest.fixture
async def cluster(serve: conftest.Serve, tmp_path: Path) -> AsyncIterator[Cluster]:
    master = Master()
    yield Cluster(tmp_path, await serve(master.answer), master)


async def said(updates: AsyncGenerator[Any]) -> list[Any]:
    """All that an action says."""
    return [update async for update in updates]


def without_page(cluster: Cluster) -> None:
    """The master publishes no port."""
    (master,) = [one.replica for one in cluster.engine._containers.values() if one.replica.service == "master"]
    cluster.engine.change(master, ports=())
