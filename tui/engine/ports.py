"""Ports of this machine: which are taken, and by whom."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Collection

import psutil

from tui.engine.interface import Address, NoWay, Replica, State
from tui.stack.model import Port

ANY_ADDRESS = ("", "0.0.0.0", "::")
LOOPBACK = ("127.0.0.1", "::1")


def published(replica: Replica, port: int) -> Address | NoWay:
    """Where a replica's own port is published on this machine."""
    if replica.state is not State.RUNNING:
        return NoWay(f"it is {replica.state}")
    for candidate in replica.ports:
        if candidate.target == port and candidate.published:
            # By name: MLflow and others refuse host names that they were not told of.
            return Address(
                "localhost" if candidate.host in (*ANY_ADDRESS, *LOOPBACK) else candidate.host, candidate.published
            )
    return NoWay(f"its port {port} is not published on this machine")


async def listener(port: int) -> str | None:
    """The process that listens on a TCP port of this machine, as far as this user may know it."""

    def look() -> str | None:
        try:
            for connection in psutil.net_connections("tcp"):
                if connection.status != psutil.CONN_LISTEN or not connection.laddr or not connection.pid:
                    continue
                if connection.laddr.port == port:
                    return f"{psutil.Process(connection.pid).name()} (process {connection.pid})"
        except (psutil.Error, OSError):
            pass
        return None

    return await asyncio.to_thread(look)


def is_taken(host: str, port: int) -> bool:
    """Whether a server could not listen on this TCP port of this machine now."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        # As servers do: a port in TIME_WAIT is free to them.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            return error.errno == errno.EADDRINUSE
    return False


def next_free(port: Port, avoid: Collection[int | None] = ()) -> int | None:
    """The next port of this machine after a published one that is free and not among these; None if there is none."""
    after = range((port.published or port.target) + 1, 65536)
    return next((one for one in after if one not in avoid and not is_taken(port.host, one)), None)
