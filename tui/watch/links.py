"""Links that lead to what really renders: host ports looked up, worker ids and tokens filled in."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

from tui.clients.jupyter import LIST_COMMAND, parse_servers
from tui.clients.spark_master import Worker
from tui.engine.interface import Address, Engine, EngineError, Health, NoWay, Reach, Replica, State
from tui.stack.model import Link, Project, Role, Stack
from tui.stack.roles import NOT_HTTP
from tui.watch.names import short_name

# Before a Jupyter that has no server (yet) is asked for its token again, in seconds.
FIRST_PAUSE, LONGEST_PAUSE = 2.0, 600.0


@dataclass(frozen=True, slots=True)
class OpenLink:
    """A link of one replica. `url` is None while it leads nowhere, and `why_not` says why; one that is not `lasting`
    ends with the engine's connection."""

    service: str
    replica: str
    title: str
    url: str | None
    why_not: str = ""
    lasting: bool = True


async def page_of(engine: Reach, replicas: Sequence[Replica], service: str, port: int) -> Address | NoWay:
    """Where a service's own port is, or why no replica of it can be reached (now). Raises EngineError."""
    found: Address | NoWay = NoWay(f"{service} is not up")
    for replica in replicas:
        if replica.service == service and not replica.is_run:
            found = await engine.reach(replica, port)
            if isinstance(found, Address):
                break
    return found


async def page_urls(engine: Reach, stack: Stack, project: Project, replica: Replica) -> dict[int, str]:
    """The addresses of a replica by its service's own ports: those of its links first, then every other one that may
    speak HTTP. Raises EngineError."""
    ports = [link.port for link in stack.layout.service(replica.service).links if not link.service]
    service = project.services.get(replica.service)
    ports += [port.target for port in service.ports if port.protocol == "tcp"] if service else []
    found = {port: await engine.reach(replica, port) for port in dict.fromkeys(ports) if port not in NOT_HTTP}
    return {port: address.url for port, address in found.items() if isinstance(address, Address)}


async def master_url(engine: Reach, stack: Stack, project: Project, replicas: Sequence[Replica]) -> str | None:
    """Where the Spark master's page is, or None without a master or while none is reached. Raises EngineError."""
    for name in stack.with_role(project, Role.SPARK_MASTER):
        for link in stack.layout.service(name).links:
            page = await page_of(engine, replicas, link.service or name, link.port)
            if isinstance(page, Address):
                return page.url
    return None


async def resolve_links(
    engine: Engine,
    stack: Stack,
    project: Project,
    replicas: Sequence[Replica],
    workers: Mapping[str, Worker],
    services: Sequence[str] = (),
    tokens: Tokens | None = None,
) -> list[OpenLink]:
    """Every link of these services (all if none is named), one of each replica; `workers` are what the Spark master
    knows of the replicas, by their ids; `tokens` those that are known already."""
    tokens = tokens or Tokens(engine)
    found: list[OpenLink] = []
    for name in services or project.services:
        own = [replica for replica in replicas if replica.service == name and not replica.is_run]
        for link in stack.layout.service(name).links:
            if not own and not project.services[name].profiles:
                found.append(OpenLink(name, name, link.title, None, f"{name} is not up"))
            found += [
                await _resolve(engine, link, one, short_name(one, project), replicas, workers.get(one.id), tokens)
                for one in own
            ]
    return found


async def _resolve(
    engine: Reach,
    link: Link,
    replica: Replica,
    name: str,
    replicas: Sequence[Replica],
    worker: Worker | None,
    tokens: Tokens,
) -> OpenLink:
    def nowhere(why: str) -> OpenLink:
        return OpenLink(replica.service, name, link.title, None, why)

    if replica.state is not State.RUNNING:
        return nowhere(f"{name} is {replica.state}")
    server = link.service or replica.service
    base = await page_of(engine, replicas if link.service else [replica], server, link.port)
    if isinstance(base, NoWay):
        return nowhere(f"{server}: {base.why}" if link.service else base.why)
    path = link.path
    if "{worker_id}" in path:
        if worker is None:
            return nowhere("the Spark master does not name this worker, or does not answer")
        path = path.replace("{worker_id}", quote(worker.id, safe=""))
    if "{token}" in path:
        token = await tokens.of(replica)
        if token is None:
            return nowhere(f"no running Jupyter server was found in {name}")
        path = path.replace("{token}", quote(token, safe=""))
    return OpenLink(replica.service, name, link.title, base.url + path, lasting=base.lasting)


class Tokens:
    """Jupyter's tokens as its own server lists say them: asked for once in a replica's life."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._known: dict[tuple[str, datetime | None], str] = {}
        # Of those without a server (yet): when to ask again, and the pause before that.
        self._later: dict[tuple[str, datetime | None], tuple[float, float]] = {}

    async def of(self, replica: Replica) -> str | None:
        """The token; None if there is no server (yet)."""
        key = replica.id, replica.started_at
        again, pause = self._later.get(key, (0.0, FIRST_PAUSE))
        if key in self._known or replica.health is Health.STARTING or time.monotonic() < again:
            return self._known.get(key)
        try:
            code, output = await self._engine.execute(replica.service, LIST_COMMAND, replica_id=replica.id, timeout=15)
        except EngineError:
            code, output = 1, ""
        servers = parse_servers(output) if code == 0 else []
        if servers:
            self._known[key] = servers[0].token
        else:
            self._later[key] = time.monotonic() + pause, min(2 * pause, LONGEST_PAUSE)
        return self._known.get(key)
