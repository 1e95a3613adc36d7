"""The token of a Jupyter server."""

from __future__ import annotations

import msgspec

LIST_COMMAND = ("jupyter", "server", "list", "--json")
"""The command that `parse_servers` reads; it runs where the server runs."""


class Server(msgspec.Struct, frozen=True):
    """A running server as `jupyter server list --json` shows it."""

    url: str
    token: str = ""


def parse_servers(output: str) -> list[Server]:
    """The servers in the output of `LIST_COMMAND`, one JSON object a line; other lines are skipped."""
    servers = []
    for line in output.splitlines():
        try:
            servers.append(msgspec.json.decode(line, type=Server))
        except (msgspec.DecodeError, RecursionError):
            continue
    return servers
