"""Over ssh: a published port goes through a connection of ssh's own to the engine's machine."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

import pytest

from tui.engine.docker import answers
from tui.engine.docker.api import Endpoint
from tui.engine.docker.reach import Ways
from tui.engine.docker.ssh import Ssh
from tui.engine.interface import Address, Replica, State
from tui.stack.model import Port

# Stands for ssh: writes down what it was told, and carries its stdin to the port behind -W.
SSH = f"""#!{sys.executable}
import socket, sys, threading
open(__file__ + ".told", "a").write(" ".join(sys.argv[1:]) + "\\n")
host, port = sys.argv[sys.argv.index("-W") + 1].split(":")
there = socket.create_connection((host, int(port)))
def back():
    while data := there.recv(9999):
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
threading.Thread(target=back, daemon=True).start()
while data := sys.stdin.buffer.read1(9999):
    there.sendall(data)
"""


async def test_a_published_port_of_an_ssh_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ssh = tmp_path / "ssh"
    ssh.write_text(SSH)
    ssh.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(9999):
            writer.write(data.upper())
        writer.close()

    class Far:
        endpoint = Endpoint("far", "ssh://me@far:2222")
        ssh = Ssh(endpoint.host)

        async def inspect(self, replica_id: str) -> answers.Container:
            on_host = answers.HostConfig(network_mode="host")
            return answers.Container(replica_id, "api-1", answers.State(), answers.Config(), host_config=on_host)

    def never(*words: str) -> list[str]:
        raise AssertionError(words)

    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    far: Any = Far()
    ways = Ways(far, never, on_host=False)
    published = Replica("1", "web-1", "web", 1, State.RUNNING, ports=(Port(80, port, "0.0.0.0"),))
    on_host = Replica("2", "api-1", "api", 1, State.RUNNING)
    for replica, target in ((published, 80), (on_host, port)):
        found = await ways.to(replica, target)
        assert isinstance(found, Address) and found.host == "localhost" and found.port != port
        for word in (b"one", b"two"):
            reader, writer = await asyncio.open_connection(found.host, found.port)
            writer.write(word)
            assert await reader.readexactly(3) == word.upper()
            writer.close()
    told = (tmp_path / "ssh.told").read_text().splitlines()
    assert len(told) == 4 and all(f" -W 127.0.0.1:{port} -l me -p 2222 -- far" in line for line in told)
    await ways.close()
    await Far.ssh.close()
    server.close()
