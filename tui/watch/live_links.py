"""The links of all panes, looked up beside everything else: Jupyter's token takes a command inside its service."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence

from tui.clients.spark_master import Worker
from tui.engine.interface import Engine, Replica
from tui.stack.model import Project, Stack
from tui.watch.links import OpenLink, Tokens, resolve_links
from tui.watch.panes import Pane


class Links:
    """`keep` runs for as long as the stack is watched; `update` says that something changed."""

    def __init__(self, engine: Engine, stack: Stack, project: Project) -> None:
        self._engine = engine
        self.renew(stack, project)
        self._tokens = Tokens(engine)
        self._panes: Sequence[Pane] = ()
        self._replicas: Sequence[Replica] = ()
        self._workers: Mapping[str, Worker] = {}
        self._dirty = asyncio.Event()

    def renew(self, stack: Stack, project: Project) -> None:
        """Goes on with what the stack's files say now."""
        self._stack, self._project = stack, project
        linked = {name: stack.layout.service(name).links for name in project.services}
        self._slow = [name for name, links in linked.items() if any("{token}" in link.path for link in links)]
        self._quick = [name for name, links in linked.items() if links and name not in self._slow]

    def update(self, panes: Iterable[Pane], replicas: Sequence[Replica], workers: Mapping[str, Worker]) -> None:
        """What is there now."""
        self._panes, self._replicas, self._workers = tuple(panes), replicas, workers
        self._dirty.set()

    def forget(self, error: Exception, pause: float) -> None:
        """After a failure none is known for sure; they are looked up again."""
        self._dirty.set()
        for pane in self._panes:
            pane.show_links(())

    async def keep(self) -> None:
        """Gives the panes their links, again after every update."""
        while True:
            await self._dirty.wait()
            self._dirty.clear()
            if self._quick:
                self._show(self._quick, await self._resolve(self._quick))
            for name in self._slow:
                self._show([name], await self._resolve([name]))

    async def _resolve(self, services: Sequence[str]) -> list[OpenLink]:
        replicas = [one for one in self._replicas if not one.is_run]
        return await resolve_links(
            *(self._engine, self._stack, self._project, replicas, self._workers), services, self._tokens
        )

    def _show(self, services: Sequence[str], links: Sequence[OpenLink]) -> None:
        for pane in self._panes:
            if pane.service is not None and pane.service.name in services and not pane.is_run:
                own = [link for link in links if link.service == pane.service.name and link.replica == pane.name]
                pane.show_links([(link.title, link.url) for link in own if link.url is not None])
