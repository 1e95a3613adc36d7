"""Every way to a container's port, on the real engine: what answers there is what was started there."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncGenerator
from contextlib import suppress

import pytest

from tests.engine.docker.conftest import StartStack
from tui.engine.interface import Address, Engine, NoWay, Replica, drain

pytestmark = pytest.mark.engine

# Says its name to whom connects, and what it is told.
SERVER = """
command:
  - perl
  - -MIO::Socket::INET
  - -e
  - |
    $$s = IO::Socket::INET->new(LocalAddr => "%s", LocalPort => %d, Listen => 9, ReuseAddr => 1) or die;
    while ($$c = $$s->accept) { $$l = <$$c>; print $$c "%s heard $$l"; close $$c }
"""


def service(name: str, port: int = 8000, more: str = "", address: str = "0.0.0.0") -> str:
    body = (SERVER % (address, port, name)).replace("\n", "\n  ")
    return f"{name}:\n  <<: *base\n  {more}{body}\n"


async def up(engine: Engine) -> dict[str, Replica]:
    await drain(engine.up())
    return {one.service: one for one in await engine.replicas()}


async def hears(found: Address | NoWay) -> str:
    """What answers at an address, once it does."""
    assert isinstance(found, Address), found
    async with asyncio.timeout(30):
        while True:
            with suppress(OSError):
                reader, writer = await asyncio.open_connection(found.host, found.port)
                writer.write(b"you\n")
                answer = await reader.read()
                writer.close()
                if answer:
                    return answer.decode().strip()
            await asyncio.sleep(0.1)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def test_published_not_published_the_hosts_network_and_another_services(start_stack: StartStack) -> None:
    port = free_port()
    engine = await start_stack(
        service("open", more="ports: ['127.0.0.1::8000']")
        + service("inner")
        + service("host", port, "network_mode: host")
        + service("guest", 8001, "network_mode: service:inner")
    )
    replicas = await up(engine)
    found = await engine.reach(replicas["open"], 8000)
    assert found == Address("localhost", replicas["open"].ports[0].published or 0)
    assert await hears(found) == "open heard you"
    found = await engine.reach(replicas["inner"], 8000)
    assert found == Address(replicas["inner"].addresses[0], 8000)
    assert await hears(found) == "inner heard you"
    found = await engine.reach(replicas["host"], port)
    assert found == Address("localhost", port) and await hears(found) == "host heard you"
    assert await hears(await engine.reach(replicas["guest"], 8001)) == "guest heard you"
    await engine.end(replicas["inner"].id, grace_seconds=1)
    ended = next(one for one in await engine.replicas() if one.service == "inner")
    assert await engine.reach(ended, 8000) == NoWay("it is ended")


@pytest.fixture
async def remote(monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[str]:
    """The engine behind another address than this machine's usual ones."""

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_unix_connection("/var/run/docker.sock")

        async def copy(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
            with suppress(OSError):
                while chunk := await source.read(65536):
                    sink.write(chunk)
                    await sink.drain()
                sink.write_eof()

        try:
            await asyncio.gather(copy(reader, back), copy(there, writer))
        finally:
            back.close()
            writer.close()

    server = await asyncio.start_server(relay, "127.0.0.2", 0)
    monkeypatch.setenv("DOCKER_HOST", f"tcp://127.0.0.2:{server.sockets[0].getsockname()[1]}")
    yield "127.0.0.2"
    server.close()


async def test_of_a_remote_engine_what_it_publishes_to_all_and_tunnels_to_the_rest(
    remote: str, start_stack: StartStack
) -> None:
    engine = await start_stack(
        service("open", more="ports: ['0.0.0.0::8000']")
        + service("shut", more="ports: ['127.0.0.1::8000']")
        + service("inner")
        + service("local", address="127.0.0.1")
        + service("bare", more="volumes: ['/dev/null:/bin/bash']")
    )
    replicas = await up(engine)
    found = await engine.reach(replicas["open"], 8000)
    assert isinstance(found, Address) and found.host == remote and found.lasting
    assert await hears(found) == "open heard you"
    tunnels = {}
    for name in ("shut", "inner", "local"):
        tunnels[name] = tunnel = await engine.reach(replicas[name], 8000)
        assert isinstance(tunnel, Address) and tunnel.host == "localhost" and not tunnel.lasting
        assert {await hears(tunnel) for _ in range(3)} == {f"{name} heard you"}
        assert await engine.reach(replicas[name], 8000) is tunnel, "looked up once"
    found = await engine.reach(replicas["bare"], 8000)
    assert isinstance(found, NoWay) and "neither bash nor nc" in found.why
    rows = await engine.processes(replicas["inner"].id)
    assert not [row for row in rows if "/dev/tcp" in row[-1]], "nothing is left inside when nobody is connected"
    await engine.end(replicas["inner"].id, grace_seconds=1)
    await engine.replicas()
    assert not listens(tunnels["inner"]) and listens(tunnels["shut"])
    await engine.close()
    assert not listens(tunnels["shut"])


def listens(found: Address | NoWay) -> bool:
    assert isinstance(found, Address)
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", found.port)) == 0
