"""How a client on this machine gets to a port of a container."""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import psutil

from tui.engine import child
from tui.engine.docker.api import Api
from tui.engine.docker.replicas import replica as replica_of
from tui.engine.interface import Address, NoWay, Replica, State
from tui.engine.ports import ANY_ADDRESS, LOOPBACK, published
from tui.engine.tunnel import Tunnel

# What an image may have that passes bytes on: a service may listen on its own address only, or on localhost only.
# With the client's end everything ends: no connection lingers in the container.
PUMP = """
port=$1; shift
if command -v bash >/dev/null; then
  exec bash -c 'for host in 127.0.0.1 "$@"; do
    if { exec 3<>"/dev/tcp/$host/$0"; } 2>/dev/null; then
      exec 4<&0; (cat <&4 >&3; kill $$) 2>/dev/null & exec cat <&3
    fi
  done; exit 1' "$port" "$@"
fi
for host in 127.0.0.1 "$@"; do nc "$host" "$port" && exit; done
"""
CAN_PUMP = ("sh", "-c", "command -v bash || command -v nc")


class Ways:
    """Looked up once for each start of a container; a tunnel is open until its container ends, or `close`."""

    def __init__(
        self,
        api: Api,
        docker: Callable[..., list[str]],
        *,
        on_host: bool,
    ) -> None:
        """`on_host`: the engine's containers share this very machine's network when they have the host's.
        `docker` makes a command line of its own tool."""
        self._api = api
        self._endpoint = api.endpoint
        self._on_host = on_host
        self._docker = docker
        self._found: dict[tuple[object, ...], Address | NoWay] = {}
        self._tunnels: dict[tuple[object, ...], Tunnel] = {}
        self._looking = asyncio.Lock()

    async def to(self, replica: Replica, port: int) -> Address | NoWay:
        """See `Reach.reach`."""
        if replica.state is not State.RUNNING:
            return NoWay(f"it is {replica.state}")
        key = (*_start(replica), port)
        if key not in self._found:
            async with self._looking:
                if key not in self._found:
                    self._found[key] = await self._look(key, replica, port)
        return self._found[key]

    async def keep(self, replicas: Iterable[Replica]) -> None:
        """Forgets all but these containers as far as they run."""
        if not self._found:
            return
        here = {_start(one) for one in replicas if one.state is State.RUNNING}
        for key in [key for key in self._found if key[:-1] not in here]:
            del self._found[key]
            if tunnel := self._tunnels.pop(key, None):
                await tunnel.close()

    async def close(self) -> None:
        """Closes every tunnel."""
        await self.keep(())

    async def _look(self, key: tuple[object, ...], replica: Replica, port: int) -> Address | NoWay:
        address = published(replica, port)
        if isinstance(address, Address):
            if self._endpoint.is_local:
                return address
            return await self._remote(key, replica, port, address)
        settings = (await self._api.inspect(replica.id)).host_config
        network = settings.network_mode if settings else ""
        if network.startswith("container:"):
            return await self._look(key, replica_of(await self._api.inspect(network.partition(":")[2])), port)
        if network == "host":
            if self._on_host:
                return Address("localhost", port)
            return await self._through_ssh(key, "127.0.0.1", port) or await self._inside(key, replica, port)
        if self._endpoint.is_local and (near := await asyncio.to_thread(_near, replica.addresses)):
            return Address(near, port)
        return await self._inside(key, replica, port)

    async def _remote(self, key: tuple[object, ...], replica: Replica, port: int, address: Address) -> Address | NoWay:
        """A port that another machine publishes: there for all, or for that machine only."""
        bound = next(one.host for one in replica.ports if one.published == address.port)
        host = "127.0.0.1" if bound in ANY_ADDRESS else bound
        if tunnel := await self._through_ssh(key, host, address.port):
            return tunnel
        if bound in LOOPBACK:
            return await self._inside(key, replica, port)
        return Address(urlsplit(self._endpoint.host).hostname or "" if bound in ANY_ADDRESS else bound, address.port)

    async def _through_ssh(self, key: tuple[object, ...], host: str, port: int) -> Address | None:
        """A port that the engine's machine itself can connect to."""
        ssh = self._api.ssh
        return await self._tunnel(key, ssh.command("-W", f"{host}:{port}")) if ssh else None

    async def _inside(self, key: tuple[object, ...], replica: Replica, port: int) -> Address | NoWay:
        """From inside the container, with what its image has."""
        code, _, _ = await child.output(self._docker("exec", replica.id, *CAN_PUMP), Path.home(), {}, limit=1000)
        if code:
            return NoWay(
                f"its port {port} is not published on this machine, its network is not this machine's, "
                "and its image has neither bash nor nc for a tunnel"
            )
        pump = self._docker("exec", "--interactive", replica.id, "sh", "-c", PUMP, "-", str(port), *replica.addresses)
        return await self._tunnel(key, pump)

    async def _tunnel(self, key: tuple[object, ...], command: Sequence[str]) -> Address:
        self._tunnels[key] = tunnel = Tunnel(command)
        return await tunnel.open()


def _start(replica: Replica) -> tuple[object, ...]:
    return replica.id, replica.started_at, replica.ports


def _near(addresses: Sequence[str]) -> str | None:
    """The first address in a network that this machine is part of."""
    networks = [
        ipaddress.ip_network(f"{card.address}/{card.netmask}", strict=False)
        for cards in psutil.net_if_addrs().values()
        for card in cards
        if card.family.name == "AF_INET" and card.netmask and not card.address.startswith("127.")
    ]
    for address in addresses:
        with suppress(ValueError):
            if any(ipaddress.ip_address(address) in network for network in networks):
                return address
    return None
