"""`sparkdeck open`: a service's page in the browser."""

from __future__ import annotations

import asyncio
import webbrowser
from typing import Annotated

import typer

from tui.cli.arguments import Json, complete_service
from tui.cli.output import note, out, print_json, print_table, say, table
from tui.cli.session import Exit, fail, open_session, verb
from tui.watch.cluster import look_at_cluster
from tui.watch.links import OpenLink, resolve_links
from tui.watch.roles import has_login, login_of
from tui.watch.roles.kind import Login
from tui.watch.session import Session


async def links_of(session: Session, services: list[str]) -> list[OpenLink]:
    """Every link of these services (all if none), resolved as things stand now."""
    replicas = await session.engine.replicas()
    cluster = await look_at_cluster(session.engine, session.stack, session.project, replicas)
    return await resolve_links(session.engine, session.stack, session.project, replicas, cluster.workers, services)


async def show_links(session: Session) -> None:
    """Prints where everything is."""
    links = [link for link in await links_of(session, []) if link.url and link.lasting]
    if links:
        say()
        print_table(table("service", "page", rows=((link.replica, link.url or "") for link in links)))
    _tell_of_logins(session, links)


async def logins_of(session: Session, links: list[OpenLink]) -> dict[str, Login]:
    """The logins of the services of these links that run, by service."""
    wanted = {link.service for link in links if link.url}
    found: dict[str, Login] = {}
    for replica in await session.engine.replicas():
        if replica.service in wanted and replica.service not in found and not replica.is_run:
            login = await login_of(session.engine, session.stack, replica)
            if login is not None:
                found[replica.service] = login
    return found


def _tell_of_logins(session: Session, links: list[OpenLink]) -> None:
    """Says which pages have a login that can be shown."""
    services = dict.fromkeys(link.service for link in links if link.url)
    named = [name for name in services if has_login(session.stack, session.project, name)]
    if named:
        names = " and ".join(named)
        note(f"{names} {'asks' if len(named) == 1 else 'ask'} for a login: sparkdeck open --logins shows it")


@verb
async def open_link(
    context: typer.Context,
    service: Annotated[
        str | None,
        typer.Argument(help="Whose page; without it all are listed.", autocompletion=complete_service),
    ] = None,
    only_print: Annotated[bool, typer.Option("--print", help="Print the address, open nothing.")] = False,
    logins: Annotated[bool, typer.Option("--logins", help="Show user and password too; open nothing.")] = False,
    as_json: Json = False,
) -> int:
    """Open a service's page in the browser.

    Jupyter's with its token. Without a service all pages are listed.
    """
    async with open_session(context) as session:
        if service is not None and service not in session.project.services:
            known = ", ".join(session.project.services)
            fail(Exit.USAGE, f"{session.stack.name} has no service {service!r}. It has: {known}.")
        links = await links_of(session, [service] if service else [])
        found = await logins_of(session, links) if logins else None
        if as_json:
            print_json([_as_json(link, found) for link in links])
            return Exit.OK
        if service is None:
            _print_links(links, found)
        else:
            _print_pages(service, links, found)
        if not logins:
            _tell_of_logins(session, links)
        page = next((link.url for link in links if link.url), None)
        if service and page and not (logins or only_print) and out.is_terminal and not webbrowser.open(page):
            note("There is no browser here; open the address above where there is one.")
        if any(link.url and not link.lasting for link in links):
            note("The way there is a tunnel, open as long as this command goes on: Ctrl+C ends it.")
            await asyncio.Event().wait()
    return Exit.OK


def _print_pages(service: str, links: list[OpenLink], logins: dict[str, Login] | None) -> None:
    if not links:
        fail(Exit.FAILED, f"{service} has no page: the layout names no link for it.")
    urls = [link.url for link in links if link.url]
    if not urls:
        fail(Exit.FAILED, f"{service} cannot be opened: {links[0].why_not}.")
    for url in urls:
        say(url)
    if logins is not None:
        login = logins.get(service)
        say(f"user: {login.user}\npassword: {login.password}" if login else "no login is known")


def _as_json(link: OpenLink, logins: dict[str, Login] | None) -> dict[str, object]:
    entry: dict[str, object] = {
        "service": link.service,
        "replica": link.replica,
        "title": link.title,
        # What ends with this command is no address for who reads this.
        "url": link.url if link.lasting else None,
        "why_not": link.why_not or (None if link.lasting else "its way is a tunnel, which ends with this command"),
    }
    if logins is not None:
        login = logins.get(link.service)
        entry["login"] = {"user": login.user, "password": login.password} if login else None
    return entry


def _print_links(links: list[OpenLink], logins: dict[str, Login] | None) -> None:
    pages = [(link.replica, link.url or f"- ({link.why_not})") for link in links]
    if logins is None:
        print_table(table("service", "page", rows=pages))
        return
    known = [logins.get(link.service) for link in links]
    cells = [(login.user, login.password) if login else ("", "") for login in known]
    rows = [(*page, *two) for page, two in zip(pages, cells, strict=True)]
    print_table(table("service", "page", "user", "password", rows=rows))
