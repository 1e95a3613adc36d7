"""Ports that somebody else holds, with what to do about it."""

from __future__ import annotations

import socket
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import pytest

from tui.checks.ports import check_ports
from tui.engine.interface import EngineInfo, Replica, State
from tui.engine.ports import next_free
from tui.stack.environment import port_variables
from tui.stack.model import Port, Project, Service, Stack

COMPOSE = "services: {web: {image: x, ports: ['${WEB_PORT:-%d}:80', '${MORE_PORTS:-%d-%d}:1-2', '%d:9']}}"


class Engine:
    """An engine that knows who holds which port."""

    def __init__(self, holders: dict[int, str], replicas: Sequence[Replica] = (), *, free: bool = True) -> None:
        self.info = EngineInfo("scripted", "1", "memory")
        self.free = free
        self._holders = holders
        self._replicas = list(replicas)

    async def replicas(self) -> list[Replica]:
        return self._replicas

    async def port_holder(self, port: Port) -> str | None:
        return self._holders.get(port.published or 0)

    async def next_free(self, port: Port, avoid: Collection[int | None] = ()) -> int | None:
        return next_free(port, avoid) if self.free else None


@pytest.fixture
def stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stack:
    for name in ("WEB_PORT", "MORE_PORTS"):
        monkeypatch.delenv(name, raising=False)
    file = tmp_path / "compose.yaml"
    file.write_text(COMPOSE % (20_000, 20_010, 20_011, 20_020))
    return Stack("demo", tmp_path, (file,), tmp_path)


def project(*ports: int) -> Project:
    return Project("demo", {"web": Service("web", ports=tuple(Port(80, port, "127.0.0.1") for port in ports))})


async def said(engine: Any, stack: Stack, *ports: int) -> list[str]:
    return [str(finding) for finding in await check_ports(engine, stack, project(*ports))]


async def test_a_taken_port_is_told_with_holder_variable_and_the_next_free_one(stack: Stack) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        stack.env_file.write_text(f"WEB_PORT={port - 1}\n")
        (text,) = await said(Engine({port - 1: "java (process 7)"}), stack, port - 1)
    assert text.startswith(f"Port {port - 1}, which web wants, is taken by java (process 7).\n")
    assert f"set WEB_PORT in {stack.env_file}; " in text
    free = int(text.split("; ")[1].split(" is free")[0])
    assert free > port, "one that is really free"


async def test_the_next_free_one_is_no_other_port_of_the_stack(stack: Stack) -> None:
    (text,) = await said(Engine({20_000: "java"}), stack, 20_000, 20_001, 20_002)
    assert "20001 is free" not in text and "20002 is free" not in text


async def test_a_port_without_a_variable_and_a_range(stack: Stack) -> None:
    (text,) = await said(Engine({20_020: "java"}), stack, 20_020)
    line = stack.files[0].read_text()[: stack.files[0].read_text().index("20020")].count("\n") + 1
    assert f"change the port in {stack.files[0]}:{line}; " in text
    (text,) = await said(Engine({20_010: "java", 20_011: "java"}), stack, 20_010, 20_011)
    assert text.startswith("Ports 20010 to 20011, which web wants, are taken by java.")
    assert text.endswith(f"Stop that, or set MORE_PORTS in {stack.env_file}.")


async def test_ports_that_do_not_follow_each_other_are_told_one_by_one(stack: Stack) -> None:
    (text,) = await said(Engine({20_020: "java", 20_030: "java"}), stack, 20_020, 20_030)
    assert text.startswith("Ports 20020 and 20030, which web wants, are taken by java.")
    (text,) = await said(Engine(dict.fromkeys((1, 3, 4, 5, 9), "java")), stack, 1, 3, 4, 5, 9)
    assert text.startswith("Ports 1, 3 to 5 and 9, which")
    # Published for IPv4 and IPv6 it is one.
    (text,) = await said(Engine({20_020: "java"}), stack, 20_020, 20_020)
    assert text.startswith("Port 20020, which web wants, is taken") and " is free" in text


async def test_every_service_is_told_another_free_port(stack: Stack) -> None:
    ports = range(20_020, 20_024)
    services = {f"s{port}": Service(f"s{port}", ports=(Port(80, port, "127.0.0.1"),)) for port in ports}
    engine: Any = Engine(dict.fromkeys(ports, "java"))
    found = await check_ports(engine, stack, Project("demo", services))
    free = [str(finding).split("; ")[1].split(" is free")[0] for finding in found]
    assert len(set(free)) == 4 and not {int(one) for one in free} & set(ports)


async def test_of_a_remote_machine_no_free_port_is_known(stack: Stack) -> None:
    (text,) = await said(Engine({20_000: "java"}, free=False), stack, 20_000)
    assert "is free" not in text


async def test_what_the_stack_itself_holds_is_no_finding(stack: Stack) -> None:
    own = Replica("1", "web-1", "web", 1, State.RUNNING, ports=(Port(80, 20_000),))
    assert await said(Engine({20_000: "ourselves"}, [own]), stack, 20_000) == []


def test_which_variable_gives_which_port(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    assert port_variables(stack) == {}
    assert port_variables(stack, defaults=True) == {20_000: "WEB_PORT", 20_010: "MORE_PORTS", 20_011: "MORE_PORTS"}
    stack.env_file.write_text("WEB_PORT=1\nMORE_PORTS=5-6\nOTHER_PORT=9\n")
    assert port_variables(stack) == {1: "WEB_PORT", 5: "MORE_PORTS", 6: "MORE_PORTS"}
    monkeypatch.setenv("WEB_PORT", "2")
    assert port_variables(stack)[2] == "WEB_PORT", "the caller's own goes before .env"
