"""One replica of several, on a real engine: only it is started, stopped, restarted, entered."""

from __future__ import annotations

import asyncio
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.engine.docker.conftest import StartStack
from tests.real.deck import Deck
from tui.engine.interface import Engine, EngineError, Replica, State, drain

pytestmark = pytest.mark.engine

SERVICES = """
a:
  <<: *base
  command: [sh, -c, "echo begun; exec sleep infinity"]
  deploy: {replicas: 3}
"""


async def states(engine: Engine) -> list[Replica]:
    """The three, by number."""
    return sorted(await engine.replicas(), key=lambda one: one.number)


async def test_one_replica(start_stack: StartStack) -> None:
    engine = await start_stack(SERVICES)
    await drain(engine.up())
    one, two, three = await states(engine)
    await engine.restart_replica(two.id)
    after = await states(engine)
    assert [now.id for now in after] == [one.id, two.id, three.id]
    assert [now.started_at == was.started_at for now, was in zip(after, (one, two, three), strict=True)] == [
        *(True, False, True)
    ]
    await engine.end(two.id, grace_seconds=1)
    assert [now.state for now in await states(engine)] == [State.RUNNING, State.ENDED, State.RUNNING]
    with pytest.raises(EngineError, match="not running"):
        await engine.execute("a", ["true"], replica_id=two.id)
    await engine.start_replica(two.id)
    await engine.start_replica(two.id)
    assert [now.state for now in await states(engine)] == [State.RUNNING] * 3
    # Its log goes on: three times it has begun.
    assert [line.text async for line in engine.logs(two.id)] == ["begun"] * 3
    with pytest.raises(EngineError, match="cannot be restarted"):
        await engine.restart_replica("0" * 64)


async def test_commands_run_in_the_replica_that_is_named(start_stack: StartStack) -> None:
    engine = await start_stack(SERVICES)
    await drain(engine.up())
    for one in await states(engine):
        name = one.id[:12]
        assert await engine.execute("a", ["hostname"], replica_id=one.id) == (0, f"{name}\n")
        command = await engine.shell_command("a", ["hostname"], terminal=False, replica_id=one.id)
        done = await asyncio.to_thread(subprocess.run, command, cwd="/", capture_output=True, text=True)
        assert done.stdout == f"{name}\n"
    first = (await states(engine))[0]
    assert await engine.execute("a", ["hostname"]) == (0, f"{first.id[:12]}\n")


async def test_the_engines_machine(start_stack: StartStack, docker: Any) -> None:
    engine = await start_stack(SERVICES)
    cores, memory = docker("info", "--format", "{{.NCPU}} {{.MemTotal}}").split()
    assert (engine.info.cores, engine.info.memory) == (int(cores), int(memory))


async def test_the_same_verbs_as_command_lines(start_stack: StartStack, tmp_path: Path) -> None:
    engine = await start_stack(SERVICES)
    await drain(engine.up())
    deck = Deck(tmp_path)
    before = await states(engine)

    async def run(*words: str, code: int = 0) -> subprocess.CompletedProcess[str]:
        return await asyncio.to_thread(deck.run, *words, code=code)

    await run("stop", "a-3")
    # Whatever its sibling does.
    await run("restart", "a-2")
    after = await states(engine)
    assert [now.state for now in after] == [State.RUNNING, State.RUNNING, State.ENDED]
    assert [now.started_at == was.started_at for now, was in zip(after, before, strict=True)][:2] == [True, False]
    assert (await run("shell", "a-2", "--", "hostname")).stdout == f"{before[1].id[:12]}\n"
    assert (await run("shell", "a-3", "--", "hostname", code=1)).stderr.startswith("error: a-3 is not running")
    assert (await run("logs", "a-2")).stdout == "begun\nbegun\n"
    assert (await run("status", "a-2")).stdout.count(" a-") == 1
    await run("status", "a-3", code=1)
    await run("up", "a-3")
    assert (await states(engine))[2].state is State.RUNNING
    refused = await run("up", "--recreate", "a-2", code=2)
    assert "Name the service: a" in refused.stderr
    unknown = await run("logs", "a-4", code=2)
    assert "no service 'a-4'" in unknown.stderr and "a-3" in unknown.stderr
