"""Services that wait for others, while those are still being brought up."""

from __future__ import annotations

import asyncio
import socket
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.engine.process.tiny import PYTHON, one
from tests.real.deck import free_ports
from tui.engine.interface import EngineError, Health, State, drain
from tui.stack.model import Port, Service

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no processes are kept on Windows")

# At its first start it tells so, finds its port taken and ends; later it serves.
UNLUCKY = """
import os, socket, sys, time
mark, port = sys.argv[1], sys.argv[2]
if not os.path.exists(mark):
    open(mark, "w").close()
    while socket.socket().connect_ex(("127.0.0.1", int(port))) != 0:
        time.sleep(0.02)
    sys.exit(1)
os.execv(sys.executable, [sys.executable, "-m", "http.server", port, "--bind", "127.0.0.1"])
"""


def services(port: int) -> list[Service]:
    return [
        Service("web", ports=(Port(8000, port),), has_health_check=True),
        Service("after", depends_on={"web": "service_healthy"}),
    ]


async def test_who_waits_for_a_service_sees_its_move_to_another_port_through(tiny: Any, tmp_path: Path) -> None:
    (port,) = free_ports(1)
    mark = tmp_path / "started"
    (tmp_path / "unlucky.py").write_text(UNLUCKY)
    commands = {"web": (PYTHON, str(tmp_path / "unlucky.py"), str(mark), "{port}"), "after": ("sleep", "1000")}
    engine = await tiny(services(port), commands)
    with socket.socket() as holder:

        async def take() -> None:
            while not mark.exists():  # noqa: ASYNC110
                await asyncio.sleep(0.005)
            holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            holder.bind(("127.0.0.1", port))
            holder.listen()

        said, _ = await asyncio.gather(drain(engine.up()), take())
        web, after = await one(engine, "web"), await one(engine, "after")
    assert web.ports[0].published != port and web.health is Health.HEALTHY, said
    assert after.state is State.RUNNING, said


async def test_who_waits_for_a_service_that_ends_is_told_so(tiny: Any) -> None:
    (port,) = free_ports(1)
    engine = await tiny(services(port), {"web": (PYTHON, "-c", "raise SystemExit(3)"), "after": ("sleep", "1000")})
    with pytest.raises(EngineError, match=r"after needs web, which ended with exit code 3\. Why: sparkdeck logs web"):
        await drain(engine.up())
