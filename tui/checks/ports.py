"""Are the host ports free that a stack wants to publish?"""

from __future__ import annotations

import asyncio
import errno
import re
import socket
from collections.abc import Sequence

import psutil

from tui.checks.finding import Finding
from tui.engine.interface import Replica, State
from tui.stack.model import Port, Project, Stack


async def check_ports(
    stack: Stack, project: Project, replicas: Sequence[Replica], services: Sequence[str] = ()
) -> list[Finding]:
    """Every published port that something else than this stack holds, with its holder and its variable."""
    held = {port.published for replica in replicas if replica.state is State.RUNNING for port in replica.ports}
    wanted = [
        (name, port)
        for name, service in project.services.items()
        if (name in services) or (not services and not service.profiles)
        for port in service.ports
        if port.published and port.published not in held and port.protocol == "tcp"
    ]
    return await asyncio.to_thread(_check, stack, wanted)


def _check(stack: Stack, wanted: list[tuple[str, Port]]) -> list[Finding]:
    findings = []
    for service, port in wanted:
        if port.published and _taken(port.host, port.published):
            variable = variable_of(stack, port.published)
            change = f"set {variable} in {stack.env_file}" if variable else f"change the port in {stack.folder}"
            findings.append(
                Finding(
                    f"Port {port.published}, which {service} wants, is taken by {_holder(port.published)}.",
                    f"Stop that, or {change}.",
                )
            )
    return findings


def _taken(host: str, port: int) -> bool:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        # As servers do: a port in TIME_WAIT is free to them.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            return error.errno == errno.EADDRINUSE
    return False


def _holder(port: int) -> str:
    """The process that listens on a port, as well as this user may know it."""
    try:
        connections = psutil.net_connections("tcp")
    except (psutil.Error, OSError):
        return "another process (its name is hidden from this user)"
    for connection in connections:
        if connection.status == psutil.CONN_LISTEN and connection.laddr and connection.laddr.port == port:
            if connection.pid is None:
                break
            try:
                process = psutil.Process(connection.pid)
                return f"{process.name()} (process {connection.pid})"
            except psutil.Error:
                break
    return "another process (its name is hidden from this user)"


def variable_of(stack: Stack, port: int) -> str | None:
    """The variable whose value or default in the compose files is this port, or None."""
    from dotenv import dotenv_values

    if stack.env_file.is_file():
        for name, value in dotenv_values(stack.env_file).items():
            if value == str(port):
                return name
    for file in stack.files:
        match = re.search(rf"\$\{{(\w+):?-{port}(?:-\d+)?\}}", file.read_text(encoding="utf-8", errors="replace"))
        if match:
            return match.group(1)
    return None
