"""`sparkdeck open`: a service's page in the browser."""

from __future__ import annotations

import webbrowser
from typing import Annotated

import typer

from tui.cli.arguments import Json, complete_service
from tui.cli.output import note, out, print_json, print_table, say, table
from tui.cli.session import Exit, Session, fail, open_session, verb
from tui.watch.cluster import master_state
from tui.watch.links import OpenLink, resolve_links


async def links_of(session: Session, services: list[str]) -> list[OpenLink]:
    """Every link of these services (all if none), resolved as things stand now."""
    replicas = await session.engine.replicas()
    state = await master_state(session.stack, session.project, replicas)
    return await resolve_links(session.engine, session.stack, session.project, replicas, state, services)


async def show_links(session: Session) -> None:
    """Prints where everything is."""
    links = [link for link in await links_of(session, []) if link.url]
    if links:
        say()
        print_table(table("service", "page", rows=((link.replica, link.url or "") for link in links)))


@verb
async def open_link(
    service: Annotated[
        str | None,
        typer.Argument(help="Whose page; without it all are listed.", autocompletion=complete_service),
    ] = None,
    only_print: Annotated[bool, typer.Option("--print", help="Print the address, open nothing.")] = False,
    as_json: Json = False,
) -> int:
    """Open a service's page in the browser.

    Jupyter's with its token. Without a service all pages are listed.
    """
    async with open_session() as session:
        if service is not None and service not in session.project.services:
            known = ", ".join(session.project.services)
            fail(Exit.USAGE, f"{session.stack.name} has no service {service!r}. It has: {known}.")
        links = await links_of(session, [service] if service else [])
    if as_json:
        print_json(
            [{"service": link.service, "replica": link.replica, "title": link.title, "url": link.url} for link in links]
        )
        return Exit.OK
    if service is None:
        print_table(
            table("service", "page", rows=((link.replica, link.url or f"- ({link.why_not})") for link in links))
        )
        return Exit.OK
    if not links:
        fail(Exit.FAILED, f"{service} has no page: the layout names no link for it.")
    urls = [link.url for link in links if link.url]
    if not urls:
        fail(Exit.FAILED, f"{service} cannot be opened: {links[0].why_not}.")
    for url in urls:
        say(url)
    if not only_print and out.is_terminal and not webbrowser.open(urls[0]):
        note("There is no browser here; open the address above where there is one.")
    return Exit.OK
