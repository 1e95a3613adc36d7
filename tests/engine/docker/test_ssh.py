"""An engine behind a real ssh server on this machine: everything through one connection, which ends with us."""

from __future__ import annotations

import asyncio
import getpass
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, aclosing, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from tests.bench.loopback import Engine as Loopback
from tui.engine.docker import cleanup, streams
from tui.engine.docker.api import Api, Endpoint
from tui.engine.interface import EngineGone

SSHD = shutil.which("sshd", path=f"{os.environ.get('PATH')}:/usr/sbin:/usr/local/sbin")
COUNT = 60

if SSHD is None and not os.environ.get("CI"):
    pytest.skip("there is no ssh server (package openssh-server) on this machine", allow_module_level=True)


@dataclass
class Server:
    """sshd with an own host key, for an own key of this user; behind it the engine's socket."""

    folder: Path
    port: int
    engine: Path

    @property
    def address(self) -> str:
        return f"ssh://{getpass.getuser()}@127.0.0.1:{self.port}{self.engine}"

    def sessions(self) -> int:
        """How many connections were accepted so far."""
        return (self.folder / "log").read_text().count("Accepted publickey")


@pytest.fixture
async def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[Server]:
    assert SSHD is not None, "CI needs sshd: see .ci/engine"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    for name in ("host", "user"):
        keygen = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / name)]
        await asyncio.to_thread(subprocess.run, keygen, check=True)
    shutil.copy(tmp_path / "user.pub", tmp_path / "authorized")
    (tmp_path / "sshd_config").write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {tmp_path}/host\nAuthorizedKeysFile {tmp_path}/authorized\n"
        f"StrictModes no\nUsePAM no\nPasswordAuthentication no\nPidFile none\nPermitRootLogin prohibit-password\n"
    )
    # The user's settings are read from the account's own home, whatever HOME says: ssh is told where ours are.
    (tmp_path / "config").write_text(
        f"IdentityFile {tmp_path}/user\nIdentitiesOnly yes\nStrictHostKeyChecking no\nUserKnownHostsFile /dev/null\n"
    )
    shim = tmp_path / "bin" / "ssh"
    shim.parent.mkdir()
    shim.write_text(f'#!/bin/sh\nexec {shutil.which("ssh")} -F {tmp_path}/config "$@"\n')
    shim.chmod(0o755)
    monkeypatch.setenv("PATH", f"{shim.parent}:{os.environ['PATH']}")
    Path("/run/sshd").mkdir(exist_ok=True)
    with (tmp_path / "log").open("wb") as log:
        sshd = await asyncio.create_subprocess_exec(SSHD, "-D", "-e", "-f", str(tmp_path / "sshd_config"), stderr=log)
    engine = tmp_path / "docker.sock"
    loopback = await asyncio.start_unix_server(Loopback("p", COUNT).serve, engine, backlog=4 * COUNT)
    try:
        async with asyncio.timeout(30):
            while b"Server listening" not in (tmp_path / "log").read_bytes():
                assert sshd.returncode is None, (tmp_path / "log").read_text()
                await asyncio.sleep(0.02)
        yield Server(tmp_path, port, engine)
    finally:
        loopback.close()
        sshd.terminate()
        await sshd.wait()


def children() -> list[psutil.Process]:
    return [one for one in psutil.Process().children(recursive=True) if one.name() == "ssh"]


async def test_all_streams_share_one_connection(server: Server) -> None:
    api = Api(Endpoint("far", server.address))
    async with asyncio.timeout(120), AsyncExitStack() as closing:
        closing.push_async_callback(api.close)
        containers = await cleanup.containers(api, "p")
        assert len(containers) == COUNT
        many = [
            await closing.enter_async_context(aclosing(stream))
            for one in containers
            for stream in (streams.stats(api, one.id), streams.logs(api, one.id, None, None, 5, True))
        ]
        await asyncio.gather(*(anext(stream) for stream in many))
        await asyncio.gather(*(api.inspect(one.id) for one in containers))
        assert server.sessions() == 1 and len(children()) == 1
        for stream in many:
            await stream.aclose()
        # Lost, it is opened again; what was open says so.
        stats = await closing.enter_async_context(aclosing(streams.stats(api, containers[0].id)))
        await anext(stats)
        (ssh,) = children()
        ssh.send_signal(signal.SIGKILL)
        with pytest.raises(EngineGone):
            while True:
                await anext(stats)
        while server.sessions() < 2:
            # That it has ended is known a moment later, once the loop has had its turn.
            await asyncio.sleep(0.05)
            with suppress(EngineGone):
                assert len(await cleanup.containers(api, "p")) == COUNT
        await api.close()
        assert children() == []
        with pytest.raises(EngineGone, match="closed"):
            await api.answers()


async def test_no_way_there(server: Server) -> None:
    for address, reason in (
        (f"ssh://127.0.0.1:{server.port}/no/such.sock", r"No Docker engine answers at .*no/such\.sock .*open failed"),
        ("ssh://127.0.0.1:1", r"ssh does not get there.*Connection refused"),
        (f"ssh://nobody@127.0.0.1:{server.port}", r"ssh does not get there.*Permission denied"),
    ):
        api = Api(Endpoint("far", address))
        try:
            with pytest.raises(EngineGone, match=reason):
                await api.answers()
        finally:
            await api.close()
        assert children() == []


ASKING = """
import asyncio, sys
from tui.engine.docker.api import Api, Endpoint
async def main():
    api = Api(Endpoint("far", sys.argv[1]))
    await api.answers()
    print("there", flush=True)
    await asyncio.Event().wait()
asyncio.run(main())
"""


async def test_the_connection_ends_with_who_opened_it(server: Server) -> None:
    asking = await asyncio.create_subprocess_exec(sys.executable, "-c", ASKING, server.address, stdout=subprocess.PIPE)
    assert asking.stdout is not None
    async with asyncio.timeout(60):
        assert await asking.stdout.readline() == b"there\n"
        (ssh,) = children()
        asking.kill()
        await asking.wait()
        while ssh.is_running() and ssh.status() != psutil.STATUS_ZOMBIE:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
