"""Where a Spark driver's pages and figures are."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass
from urllib.parse import quote

from tui.clients.http import ClientError
from tui.clients.spark_app import AppClient
from tui.engine.interface import Address, NoWay, Reach, Replica
from tui.stack.model import Project, Service, Stack
from tui.watch.links import master_url, page_of

UI_PORT, HISTORY_PORT = 4040, 18080
_OWN_PORT = re.compile(r"\bspark\.ui\.port[= ](\d{1,5})\b")


@dataclass(frozen=True, slots=True)
class DriverUi:
    """Its page for people, and below which address its REST API is."""

    page: str
    api: str


async def driver_ui(
    engine: Reach, stack: Stack, project: Project, replicas: Sequence[Replica], app_id: str, driver: Replica | None
) -> DriverUi | NoWay:
    """Through the master's proxy if it has one, else the driver's own port, else a history server; else there is only
    the driver's log. Raises EngineError."""
    async with aclosing(_ways(engine, stack, project, replicas, app_id, driver)) as ways:
        async for way in ways:
            async with AppClient(way.api, app_id) as client:
                with suppress(ClientError):
                    if await client.info() is not None:
                        return way
    return NoWay("no proxy of the master, no port of its own and no history server answers: it has only its log")


async def _ways(
    engine: Reach, stack: Stack, project: Project, replicas: Sequence[Replica], app_id: str, driver: Replica | None
) -> AsyncGenerator[DriverUi]:
    app = quote(app_id, safe="")
    master = await master_url(engine, stack, project, replicas)
    if master:
        yield DriverUi(f"{master}/proxy/{app}/", f"{master}/proxy/{app}")
    if driver is not None:
        own = _OWN_PORT.search(" ".join(driver.command))
        found = await engine.reach(driver, int(own[1]) if own else UI_PORT)
        if isinstance(found, Address):
            yield DriverUi(f"{found.url}/", found.url)
    for name, service in project.services.items():
        if _is_history(service):
            found = await page_of(engine, replicas, name, HISTORY_PORT)
            if isinstance(found, Address):
                yield DriverUi(f"{found.url}/history/{app}/", found.url)


def _is_history(service: Service) -> bool:
    said = " ".join((*service.entrypoint, *service.command))
    return "HistoryServer" in said or any(port.target == HISTORY_PORT for port in service.ports)
