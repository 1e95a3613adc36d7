"""A stack of a few one-liners as processes, each in folders of its own."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import aclosing
from pathlib import Path

import psutil

from tui.engine.interface import Engine, Event, Replica
from tui.engine.process.cache import Recipe
from tui.engine.process.keeper import MARKER
from tui.engine.process.spec import Ready, Service
from tui.stack.model import Project

PYTHON = sys.executable
SLEEP = ("sleep", "1000")
# Children in sessions of their own, as executors and kernels are.
FAMILY = "import subprocess, time; [subprocess.Popen(['sleep', '1000'], start_new_session=True) for _ in range(3)]"
BASE = {"PATH": "/usr/local/bin:/usr/bin:/bin", "PYTHONUNBUFFERED": "1", "LANG": "C.UTF-8"}


class TinyPlan:
    """A plan whose commands a test writes down; `{port}` in a command is the service's first port."""

    def __init__(self, project: Project, commands: Mapping[str, Sequence[str]], folder: Path) -> None:
        self.project = project
        self.commands = commands
        self.folder = folder
        self.notes: Sequence[str] = ()
        self.set_ports: Mapping[int, str] = {}
        self.environment: dict[str, str] = {}
        self.grace = 3.0
        self.start = 60.0
        self.recipes: list[Recipe] = []

    def needed(self, names: Sequence[str]) -> list[Recipe]:
        return self.recipes

    def service(self, name: str, own: Mapping[int, int], all_ports: Mapping[tuple[str, int], int]) -> Service:
        port = next(iter(own.values()), 0)
        command = tuple(word.replace("{port}", str(port)) for word in self.commands[name])
        ready = None
        if self.project.services[name].has_health_check:
            ready = Ready(url=f"http://127.0.0.1:{port}/", interval=0.2, start=self.start, retries=2)
        return Service(command, {**BASE, **self.environment}, str(self.folder), ready, self.grace)

    def arguments(self, service: str, command: Sequence[str]) -> list[str]:
        return list(command)


async def one(engine: Engine, service: str) -> Replica:
    (found,) = [replica for replica in await engine.replicas() if replica.service == service and not replica.is_run]
    return found


async def until(engine: Engine, reached: Callable[[list[Replica]], bool], seconds: float = 30) -> list[Replica]:
    """The replicas as soon as an event made them what is awaited."""
    async with asyncio.timeout(seconds), aclosing(engine.events()) as events:
        waiting: AsyncIterator[Event] = events
        while not reached(found := await engine.replicas()):
            await anext(waiting)
        return found


def left_of(ids: set[str]) -> list[psutil.Process]:
    """Living processes that carry the mark of one of these replicas."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(MARKER) in ids and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except psutil.Error:
            continue
    return found


def keepers_below(folder: Path) -> list[psutil.Process]:
    """Living keepers of replicas below a folder."""
    found = []
    for process in psutil.process_iter():
        try:
            if any(str(folder) in word for word in process.cmdline()) and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except psutil.Error:
            continue
    return found
