"""The compose project: as compose resolves it, or, where its files cannot be read, as its containers tell it."""

from __future__ import annotations

import asyncio
import os
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from tui.engine.docker import cleanup
from tui.engine.docker.answers import Listed
from tui.engine.docker.api import Api
from tui.engine.docker.compose import CommandFailed, Compose
from tui.engine.docker.errors import NotThere, explain
from tui.engine.docker.replicas import is_ours, replica
from tui.engine.interface import EngineError, Replica
from tui.stack.environment import read_environment
from tui.stack.errors import ProjectError, StackError
from tui.stack.fingerprint import fingerprint
from tui.stack.model import Project, Service, Stack
from tui.stack.project import default_name, parse_project

INSPECTIONS_AT_ONCE = 8
_NAME = re.compile(r"^name:[ \t]*[\"']?([a-z0-9][a-z0-9_-]*)[\"']?[ \t]*(?:#.*)?$", re.MULTILINE)


class Projects:
    """Reads a stack's project, again whenever its files have changed."""

    def __init__(self, api: Api, compose: Compose, stack: Stack) -> None:
        self._api = api
        self._compose = compose
        self._stack = stack
        self._project: Project | None = None
        self._files: Mapping[Path, tuple[int, int] | None] = {}

    async def project(self) -> Project:
        """As compose resolves it now, services behind profiles included. Raises EngineError."""
        files = await asyncio.to_thread(fingerprint, self._stack)
        if self._project is None or files != self._files:
            try:
                self._project = parse_project(await self._compose.config(), self._stack.profiles)
            except CommandFailed as failure:
                raise explain("Reading the compose project", failure.output, str(self._api.endpoint)) from None
            except ProjectError as error:
                raise EngineError(str(error)) from None
            self._files = files
            self._compose.by_name = ""
        return self._project

    async def name(self) -> str:
        """Its name, as it was read last. Raises EngineError."""
        return (self._project or await self.project()).name

    async def remembered(self) -> Project | None:
        """As the containers of its name tell it, until its files change; None if there are none."""
        name = await asyncio.to_thread(_usual_name, self._stack)
        found = await inspected(self._api, await cleanup.containers(self._api, name)) if name else []
        replicas = [one for one in found if not one.is_run and one.service]
        if not replicas:
            return None
        self._files = await asyncio.to_thread(fingerprint, self._stack)
        self._project = Project(name, _services(replicas))
        self._compose.by_name = name
        return self._project


async def inspected(api: Api, listed: Iterable[Listed]) -> list[Replica]:
    """These containers as replicas, those of somebody's `compose run` and those that are gone by now left out."""
    at_once = asyncio.Semaphore(INSPECTIONS_AT_ONCE)

    async def look(container: Listed) -> Replica | None:
        async with at_once:
            try:
                return replica(await api.inspect(container.id))
            except NotThere:
                # Removed between the list and the look.
                return None

    looks = [asyncio.ensure_future(look(item)) for item in listed if is_ours(item.labels or {})]
    try:
        return [seen for seen in await asyncio.gather(*looks) if seen is not None]
    finally:
        for task in looks:
            task.cancel()
        await asyncio.gather(*looks, return_exceptions=True)


def _services(replicas: Sequence[Replica]) -> dict[str, Service]:
    count = Counter(one.service for one in replicas)
    found = {one.service: one for one in reversed(replicas)}
    return {
        name: Service(
            name, image=found[name].image, command=found[name].command, ports=found[name].ports, replicas=number
        )
        for name, number in sorted(count.items())
    }


def _usual_name(stack: Stack) -> str:
    """The name that compose would give the project, as far as that can be told without reading it."""
    if stack.project_name:
        return stack.project_name
    try:
        settings = {**read_environment(stack), **os.environ}
    except StackError:
        settings = dict(os.environ)
    if settings.get("COMPOSE_PROJECT_NAME"):
        return settings["COMPOSE_PROJECT_NAME"]
    for file in reversed(stack.files):
        try:
            named = _NAME.search(file.read_text("utf-8", "replace"))
        except OSError:
            continue
        if named:
            return named[1]
    return default_name(stack.folder)
