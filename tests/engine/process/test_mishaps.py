"""What may go wrong around a process: killed tools and keepers, reused pids, a full disk, a stubborn dependency."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.engine.process.tiny import FAMILY, PYTHON, SLEEP, keepers_below, left_of, one, until
from tests.real.deck import free_ports
from tui.engine.interface import EngineError, State, drain
from tui.engine.process import launch, start, state
from tui.engine.process.engine import ProcessEngine
from tui.engine.process.identity import KEEPER
from tui.engine.process.keeper import MARKER
from tui.engine.process.store import Store
from tui.stack.model import Port, Service

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no processes are kept on Windows")


def die(*_: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.parametrize("where", [(launch, "launch"), (Store, "write")], ids=["before the start", "half written"])
async def test_a_tool_killed_while_it_makes_a_replica(tiny: Any, where: tuple[Any, str]) -> None:
    engine = await tiny([Service("a"), Service("b", depends_on={"a": "service_started"})], {"a": SLEEP, "b": SLEEP})
    child = os.fork()
    if child == 0:  # the tool
        try:
            setattr(*where, die)
            asyncio.run(_up(engine))
        finally:
            os._exit(0)
    _, status = await asyncio.to_thread(os.waitpid, child, 0)
    assert os.WIFSIGNALED(status)
    async with asyncio.timeout(30):
        await drain(engine.up())
    assert [found.state for found in await engine.replicas()] == [State.RUNNING, State.RUNNING]


async def _up(engine: Any) -> None:
    await drain((await ProcessEngine.open(engine._stack)).up())


@pytest.mark.parametrize("ending", ["down", "up"])
async def test_what_outlives_its_keeper_is_found_by_its_mark(tiny: Any, states: Path, ending: str) -> None:
    engine = await tiny([Service("a")], {"a": (PYTHON, "-c", f"{FAMILY}; time.sleep(1000)")})
    await drain(engine.up())
    replica = await one(engine, "a")
    async with asyncio.timeout(20):
        while len(left_of({replica.id})) < 4:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    orphans = [found for found in left_of({replica.id}) if found.name() == "sleep"]
    (keeper,) = keepers_below(states)
    main = next(found for found in left_of({replica.id}) if found.name() != "sleep")
    keeper.kill()
    main.kill()
    await until(engine, lambda found: found[0].state is State.ENDED)
    assert (await one(engine, "a")).exit_code is None
    await drain(getattr(engine, ending)())
    _, alive = psutil.wait_procs(orphans, timeout=5)
    assert alive == []


async def test_an_end_that_no_keeper_saw_is_an_event_from_the_call_on(tiny: Any, states: Path) -> None:
    engine = await tiny([Service("a")], {"a": SLEEP})
    await drain(engine.up())
    replica = await one(engine, "a")
    processes = [*keepers_below(states), *left_of({replica.id})]
    async with asyncio.timeout(30), aclosing(engine.events()) as events:
        for process in processes:
            process.kill()
        await asyncio.to_thread(psutil.wait_procs, processes, 10)
        seen = await anext(events)
    assert (seen.kind, seen.replica_id, seen.detail) == ("ended", replica.id, "exit code unknown")


async def test_who_starts_a_stack_from_within_a_service_is_not_ended_with_it(
    tiny: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    outer = await tiny([Service("a")], {"a": SLEEP}, "outer")
    await drain(outer.up())
    monkeypatch.setenv(MARKER, (await one(outer, "a")).id)
    inner = await tiny([Service("b")], {"b": SLEEP}, "inner")
    await drain(inner.up())
    await drain(outer.down())
    assert (await one(inner, "b")).state is State.RUNNING
    assert keepers_below(inner._folder) != []


async def test_a_stack_that_was_started_from_a_terminal_in_a_service_outlives_that(tiny: Any, tmp_path: Path) -> None:
    inner = await tiny([Service("b")], {"b": SLEEP}, "inner")
    await drain(inner.up())
    await drain(inner.stop())
    folder = next(inner._folder.rglob("spec.json")).parent
    # What the tool does there; orphans come to the outer keeper.
    start_keeper = (PYTHON, "-I", "-S", "-c", launch._KEEPER, launch._ROOT, str(folder))
    gate = tmp_path / "gate"
    then = ("sh", "-c", f'"$@"; while [ ! -e {gate} ]; do sleep 0.05; done', "sh")
    outer = await tiny([Service("a")], {"a": ("env", "-u", MARKER, f"{KEEPER}=1", *then, *start_keeper)}, "outer")
    await drain(outer.up())
    await until(inner, lambda found: found[0].state is State.RUNNING)
    gate.touch()
    await until(outer, lambda found: found[0].state is State.ENDED)
    await drain(outer.down())
    assert len(keepers_below(inner._folder)) == 1
    assert (await one(inner, "b")).state is State.RUNNING


async def test_a_replica_without_its_folder_ends_itself(tiny: Any, states: Path) -> None:
    engine = await tiny([Service("a", restart="always")], {"a": SLEEP})
    await drain(engine.up())
    replica = await one(engine, "a")
    keepers, processes = keepers_below(states), left_of({replica.id})
    shutil.rmtree(next(states.rglob("state.json")).parent)
    processes[0].kill()
    _, alive = await asyncio.to_thread(psutil.wait_procs, [*keepers, *processes], 20)
    assert alive == [] and left_of({replica.id}) == []


async def test_starting_one_twice_at_once_starts_it_once(tiny: Any, states: Path) -> None:
    engine = await tiny([Service("a")], {"a": SLEEP})
    await drain(engine.up())
    replica = await one(engine, "a")
    await engine.end(replica.id)
    await asyncio.gather(*(engine.start_replica(replica.id) for _ in range(3)))
    assert (await one(engine, "a")).state is State.RUNNING
    async with asyncio.timeout(20):
        while len(keepers_below(states)) > 1:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    assert len(left_of({replica.id})) == 1


async def test_interrupts_reach_the_process(tiny: Any) -> None:
    engine = await tiny([Service("a")], {"a": SLEEP})
    await drain(engine.up())
    await engine.signal((await one(engine, "a")).id, "INT")
    await until(engine, lambda found: found[0].state is State.ENDED)
    assert (await one(engine, "a")).exit_code == 130


async def test_up_from_another_terminal_changes_nothing(tiny: Any) -> None:
    engine = await tiny([Service("a")], {"a": SLEEP})
    engine.plan.environment["COLOUR"] = "red"
    await drain(engine.up())
    first = await one(engine, "a")
    engine.plan.environment["PATH"] = f"/somewhere/else:{os.environ['PATH']}"
    await drain(engine.up())
    assert (await one(engine, "a")).id == first.id
    engine.plan.environment["COLOUR"] = "blue"
    await drain(engine.up())
    assert (await one(engine, "a")).id != first.id


async def test_an_unhealthy_dependency_is_said_and_ends_the_wait(tiny: Any) -> None:
    (port,) = free_ports(1)
    services = [
        Service("web", ports=(Port(8000, port),), has_health_check=True),
        Service("a", depends_on={"web": "service_healthy"}),
    ]
    engine = await tiny(services, {"web": SLEEP, "a": SLEEP})
    engine.plan.start = 0.0
    with pytest.raises(EngineError, match=r"a needs web, which is unhealthy.*sparkdeck logs web"):
        async with asyncio.timeout(40):
            await drain(engine.up())


async def test_a_port_that_is_taken_every_time_is_said(tiny: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    (port,) = free_ports(1)
    web = Service("web", ports=(Port(8000, port),), has_health_check=True)
    engine = await tiny([web], {"web": ("false",)})
    holders = []

    async def thief(found: int) -> str:
        return f"thief (process {found})"

    def take(host: str, wanted: int) -> bool:
        holder = socket.socket()
        holder.bind((host, wanted))
        holders.append(holder)
        return True

    monkeypatch.setattr(start, "is_taken", take)
    monkeypatch.setattr(start, "listener", thief)
    try:
        with pytest.raises(EngineError, match=r"web.*4 ports.*taken.*thief"):
            await drain(engine.up())
    finally:
        for holder in holders:
            holder.close()


@pytest.fixture
async def small_disk(states: Path) -> AsyncGenerator[Callable[[], None]]:
    """The state is on a small file system; called, it has no room left."""
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("needs a file system of its own")
    states.mkdir()
    mount = await asyncio.create_subprocess_exec("mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", str(states))
    if await mount.wait():
        pytest.skip("no file system can be mounted here")

    def fill() -> None:
        with (states / "full").open("wb", buffering=0) as file:
            try:
                while True:
                    file.write(b"x" * 4096)
            except OSError:
                return

    yield fill
    (states / "full").unlink(missing_ok=True)
    await (await asyncio.create_subprocess_exec("umount", "-l", str(states))).wait()


async def test_on_a_full_disk_everything_can_be_ended_and_exit_codes_are_kept(
    small_disk: Callable[[], None], tiny: Any, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    ends = ("sh", "-c", f"while [ ! -e {gate} ]; do sleep 0.05; done; exit 5")
    engine = await tiny([Service("a"), Service("b"), Service("c")], {"a": SLEEP, "b": ends, "c": SLEEP})
    await drain(engine.up(["a", "b"]))
    ids = {replica.id for replica in await engine.replicas()}
    small_disk()
    gate.touch()
    found = await until(engine, lambda found: found[1].state is State.ENDED)
    assert found[1].exit_code == 5
    with pytest.raises(EngineError, match=r"No space left on device.*Make room"):
        await drain(engine.up())
    await engine.end(found[0].id, grace_seconds=2)
    assert (await one(engine, "a")).state is State.ENDED
    await drain(engine.down())
    assert await engine.replicas() == [] and left_of(ids) == []


async def test_a_followed_log_goes_on_over_a_crash(tiny: Any) -> None:
    engine = await tiny([Service("a", restart="always")], {"a": ("sh", "-c", "echo begun; exec sleep 1000")})
    await drain(engine.up())
    replica = await one(engine, "a")
    async with asyncio.timeout(40), aclosing(engine.logs(replica.id, follow=True)) as lines:
        for _ in range(3):
            assert (await anext(lines)).text == "begun"
            await until(engine, lambda found: found[0].state is State.RUNNING)
            await engine.signal(replica.id, "KILL")


def test_a_lock_that_was_removed_with_its_folder_does_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "stack"
    take, looks = state.take, 0

    def taken_late(handle: int) -> bool:
        nonlocal looks
        looks += 1
        if looks == 1:  # another tool's `down`, which has the lock no more
            shutil.rmtree(folder)
        return take(handle)

    monkeypatch.setattr(state, "take", taken_late)
    with state.locked(folder) as free, state.locked(folder) as other:
        assert free and not other
