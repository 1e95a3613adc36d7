"""Services as processes: what only this engine must prove. What both engines must is in tests/engine/contract."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
from contextlib import aclosing
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.engine.process.tiny import FAMILY, PYTHON, SLEEP, keepers_below, left_of, one, until
from tests.real.deck import free_ports
from tui.engine.interface import EngineError, Health, RunRequest, State, drain
from tui.engine.process.store import Store
from tui.stack.model import Port, Service

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no processes are kept on Windows")

SERVE = (PYTHON, "-m", "http.server", "{port}", "--bind", "127.0.0.1")


def web(port: int) -> Service:
    return Service("web", ports=(Port(8000, port),), has_health_check=True)


async def test_state_is_for_its_owner_only_and_secrets_stand_in_no_argument_list(tiny: Any, states: Path) -> None:
    engine = await tiny([Service("a")], {"a": SLEEP})
    engine.plan.environment["PASSWORD"] = "hunter2"
    await drain(engine.up())
    (folder,) = (states / "sparkdeck" / "processes").iterdir()
    for item in (folder, *folder.rglob("*")):
        assert item.stat().st_mode & 0o077 == 0, f"{item} can be read by others"
    shell = await engine.shell_command("a", ["sh", "-c", "echo $PASSWORD"], env={"MORE": "x"})
    assert not any("hunter2" in word for word in shell)
    process = await asyncio.create_subprocess_exec(*shell, stdout=asyncio.subprocess.PIPE)
    out, _ = await process.communicate()
    assert out == b"hunter2\n"
    assert all("hunter2" not in " ".join(one.cmdline()) for one in keepers_below(states))


async def test_stopping_takes_everything_along_also_what_left_the_group(tiny: Any) -> None:
    engine = await tiny([Service("a")], {"a": (PYTHON, "-c", f"{FAMILY}; time.sleep(1000)")})
    await drain(engine.up())
    ids = {(await one(engine, "a")).id}
    async with asyncio.timeout(20):
        while len(left_of(ids)) < 4:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    await drain(engine.stop())
    assert left_of(ids) == []
    assert (await one(engine, "a")).exit_code == 143


async def test_who_will_not_stop_is_ended_by_force(tiny: Any) -> None:
    stubborn = "import signal, time; signal.signal(15, signal.SIG_IGN); print('ready', flush=True); time.sleep(1000)"
    engine = await tiny([Service("a")], {"a": (PYTHON, "-c", stubborn)})
    await drain(engine.up())
    replica = await one(engine, "a")
    async with aclosing(engine.logs(replica.id, follow=True)) as lines:
        assert (await anext(lines)).text == "ready"
    await engine.end(replica.id, grace_seconds=0.3)
    assert (await one(engine, "a")).exit_code == 137


async def test_a_crash_is_told_and_started_again_as_the_policy_says(tiny: Any) -> None:
    engine = await tiny([Service("a", restart="on-failure"), Service("b")], {"a": SLEEP, "b": SLEEP})
    await drain(engine.up())
    for service in ("a", "b"):
        await engine.signal((await one(engine, service)).id, "KILL")
    await until(engine, lambda found: found[0].restarts == 1 and found[0].state is State.RUNNING)
    b = await one(engine, "b")
    assert (b.state, b.exit_code, b.restarts) == (State.ENDED, 137, 0)


async def test_a_policy_with_a_number_gives_up(tiny: Any) -> None:
    engine = await tiny([Service("a", restart="on-failure:1")], {"a": ("sh", "-c", "echo again; exit 3")})
    await drain(engine.up())
    (a,) = await until(engine, lambda found: found[0].state is State.ENDED)
    assert (a.exit_code, a.restarts) == (3, 1)
    async with aclosing(engine.logs(a.id)) as lines:
        assert [line.text async for line in lines] == ["again", "again"]


async def test_one_that_has_ended_well_was_started(tiny: Any) -> None:
    services = [Service("quick"), Service("after", depends_on={"quick": "service_started"})]
    engine = await tiny(services, {"quick": ("true",), "after": SLEEP})
    async with asyncio.timeout(20):
        await drain(engine.up())
    assert (await one(engine, "quick")).exit_code == 0
    assert (await one(engine, "after")).state is State.RUNNING


async def test_a_keeper_that_is_killed_leaves_nothing_that_cannot_be_stopped(tiny: Any, states: Path) -> None:
    engine = await tiny([Service("a")], {"a": SLEEP})
    await drain(engine.up())
    replica = await one(engine, "a")
    (keeper,) = keepers_below(states)
    keeper.kill()
    keeper.wait(10)
    assert (await one(engine, "a")).state is State.RUNNING
    await engine.end(replica.id, grace_seconds=1)
    assert left_of({replica.id}) == [] and (await one(engine, "a")).state is State.ENDED
    await drain(engine.up())
    assert (await one(engine, "a")).state is State.RUNNING


async def test_a_state_from_before_a_reboot_signals_nobody(tiny: Any, states: Path) -> None:
    engine = await tiny([Service("a")], {"a": SLEEP})
    await drain(engine.up())
    replica = await one(engine, "a")
    file = next(states.rglob("state.json"))
    then = json.loads(file.read_text())
    await drain(engine.stop())
    # The pids were given to somebody else: this test and a process of it.
    stranger = await asyncio.create_subprocess_exec("sleep", "1000")
    try:
        file.write_text(json.dumps({**then, "keeper": os.getpid(), "child": stranger.pid}))
        now = await one(engine, "a")
        assert (now.state, now.exit_code) == (State.ENDED, None)
        with pytest.raises(EngineError, match="does not run"):
            await engine.signal(replica.id, "KILL")
        await engine.end(replica.id)
        await drain(engine.up())
        assert (await one(engine, "a")).state is State.RUNNING
        assert stranger.returncode is None and psutil.pid_exists(stranger.pid)
    finally:
        stranger.kill()
        await stranger.wait()


async def test_scaling_leaves_what_runs_and_starts_what_is_needed(tiny: Any) -> None:
    engine = await tiny(
        [Service("base"), Service("more", depends_on={"base": "service_started"})], {"base": SLEEP, "more": SLEEP}
    )
    async with asyncio.timeout(30):
        await drain(engine.scale("more", 1))
    assert (await one(engine, "base")).state is State.RUNNING
    first = {replica.id for replica in await engine.replicas()}
    engine.plan.environment["CHANGED"] = "by the user meanwhile"
    await drain(engine.scale("more", 2))
    now = {replica.id for replica in await engine.replicas()}
    assert first < now and len(now) == 3


async def test_killing_the_tool_in_the_middle_of_up_is_mended_by_the_next_up(tiny: Any, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    wait = ("sh", "-c", f"while [ ! -e {gate} ]; do sleep 0.05; done")
    services = [
        Service("first"),
        Service("second", depends_on={"first": "service_completed_successfully"}),
    ]
    engine = await tiny(services, {"first": wait, "second": SLEEP})
    child = os.fork()
    if child == 0:  # the tool
        try:
            asyncio.run(_up_in_another_process(engine))
        finally:
            os._exit(0)
    await until(engine, lambda found: any(one.service == "first" and one.state is State.RUNNING for one in found))
    os.kill(child, signal.SIGKILL)
    await asyncio.to_thread(os.waitpid, child, 0)
    gate.touch()
    await until(engine, lambda found: all(one.state is State.ENDED for one in found))
    assert [one.service for one in await engine.replicas()] == ["first"]
    await drain(engine.up())
    assert (await one(engine, "second")).state is State.RUNNING


async def _up_in_another_process(engine: Any) -> None:
    from tui.engine.process.engine import ProcessEngine

    again = await ProcessEngine.open(engine._stack)
    await drain(again.up())


async def test_a_taken_port_is_moved_and_said(tiny: Any) -> None:
    (port,) = free_ports(1)
    engine = await tiny([web(port)], {"web": SERVE})
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind(("127.0.0.1", port))
        holder.listen()
        said = await drain(engine.up())
        assert any(f"port {port} is held by" in line and str(os.getpid()) in line for line in said), said
        (moved,) = (await one(engine, "web")).ports
        assert moved.published not in (None, port) and moved.host == "127.0.0.1"
        assert (await engine.project()).services["web"].ports[0].published == moved.published
        assert (await one(engine, "web")).health is Health.HEALTHY
        engine.plan.set_ports = {port: "WEB_PORT"}
        await drain(engine.down())
        with pytest.raises(EngineError, match=rf"WEB_PORT.*held by.*{os.getpid()}.*is free"):
            await drain(engine.up())
        assert await engine.port_holder(Port(8000, port)) is not None


async def test_an_answer_from_somebody_elses_server_is_not_taken_for_ours(tiny: Any, tmp_path: Path) -> None:
    (port,) = free_ports(1)
    mark = tmp_path / "started"
    # As slow as a JVM at its first start: somebody else has the port before it comes to that.
    slow = (
        "import os, pathlib, sys, time\n"
        f"mark = pathlib.Path({str(mark)!r})\n"
        "if not mark.exists():\n"
        "    mark.touch()\n"
        "    time.sleep(1000)\n"
        "serve = [sys.executable, '-m', 'http.server', sys.argv[1], '--bind', '127.0.0.1']\n"
        "os.execv(sys.executable, serve)\n"
    )
    engine = await tiny([web(port)], {"web": (PYTHON, "-c", slow, "{port}")})

    async def take() -> asyncio.subprocess.Process:
        while not mark.exists():  # noqa: ASYNC110
            await asyncio.sleep(0.005)
        serve = [word.replace("{port}", str(port)) for word in SERVE]
        return await asyncio.create_subprocess_exec(*serve, cwd=tmp_path, stderr=asyncio.subprocess.DEVNULL)

    taking = asyncio.create_task(take())
    try:
        said = await drain(engine.up())
    finally:
        other = await taking
        other.kill()
        await other.wait()
    replica = await one(engine, "web")
    assert replica.ports[0].published != port, said
    assert replica.health is Health.HEALTHY
    assert any(f"port {port} was taken by" in line for line in said), said


async def test_a_port_that_is_taken_between_the_look_and_the_start(tiny: Any, tmp_path: Path) -> None:
    (port,) = free_ports(1)
    thief = tmp_path / "thief.py"
    # The first start takes its own port away, as somebody else would in that moment.
    thief.write_text(
        "import os, socket, subprocess, sys\n"
        f"mark = {str(tmp_path / 'stolen')!r}\n"
        "if not os.path.exists(mark):\n"
        "    open(mark, 'w').close()\n"
        "    code = 'import socket,sys,time;s=socket.socket();s.bind((\"127.0.0.1\",int(sys.argv[1])));'\n"
        "    code += 's.listen();time.sleep(60)'\n"
        "    env = {k: v for k, v in os.environ.items() if k != 'SPARKDECK_REPLICA'}\n"
        "    if os.fork() == 0:\n"
        "        os.setsid()\n"
        "        p = subprocess.Popen([sys.executable, '-c', code, sys.argv[1]], env=env, start_new_session=True)\n"
        f"        open({str(tmp_path / 'pid')!r}, 'w').write(str(p.pid))\n"
        "        os._exit(0)\n"
        "    os.wait()\n"
        "    sys.exit(1)\n"
        "os.execv(sys.executable, [sys.executable, '-m', 'http.server', sys.argv[1], '--bind', '127.0.0.1'])\n"
    )
    with socket.socket() as holder:
        engine = await tiny([web(port)], {"web": (PYTHON, str(thief), "{port}")})
        taken = asyncio.create_task(_take_when_stolen(tmp_path / "stolen", holder, port))
        said = await drain(engine.up())
        await taken
        (moved,) = (await one(engine, "web")).ports
        assert moved.published != port, said
        assert any(f"port {port} was taken by" in line for line in said), said
        assert (await one(engine, "web")).health is Health.HEALTHY


async def _take_when_stolen(mark: Path, holder: socket.socket, port: int) -> None:
    while not mark.exists():  # noqa: ASYNC110
        await asyncio.sleep(0.005)
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    holder.bind(("127.0.0.1", port))
    holder.listen()


async def test_two_stacks_side_by_side(tiny: Any) -> None:
    (port,) = free_ports(1)
    left = await tiny([web(port)], {"web": SERVE}, "left")
    right = await tiny([web(port)], {"web": SERVE}, "right")
    await asyncio.gather(drain(left.up()), drain(right.up()))
    ports = {(await one(engine, "web")).ports[0].published for engine in (left, right)}
    assert len(ports) == 2
    await drain(left.down())
    assert (await one(right, "web")).health is Health.HEALTHY


async def test_twenty_rounds_leave_nothing(tiny: Any, states: Path) -> None:
    (port,) = free_ports(1)
    engine = await tiny([web(port), Service("a")], {"web": SERVE, "a": SLEEP})
    ids: set[str] = set()
    for _ in range(20):
        await drain(engine.up())
        ids |= {replica.id for replica in await engine.replicas()}
        await drain(engine.down())
        assert await engine.replicas() == []
    assert len(ids) == 40
    assert left_of(ids) == [] and keepers_below(states) == []
    assert [item for item in states.rglob("*") if item.is_file()] == []
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", port))


async def test_two_tools_do_not_change_a_stack_at_once(tiny: Any, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    wait = ("sh", "-c", f"while [ ! -e {gate} ]; do sleep 0.05; done")
    services = [Service("first"), Service("second", depends_on={"first": "service_completed_successfully"})]
    engine = await tiny(services, {"first": wait, "second": SLEEP})
    other = await tiny(services, {})
    up = asyncio.create_task(drain(engine.up()))
    await until(engine, lambda found: any(one.state is State.RUNNING for one in found))
    with pytest.raises(EngineError, match="Another sparkdeck"):
        await drain(other.stop())
    gate.touch()
    await up


async def test_a_run_that_cannot_start_leaves_nothing(tiny: Any) -> None:
    engine = await tiny([Service("a")], {"a": SLEEP})
    with pytest.raises(EngineError, match="no-such-program"):
        await engine.start_run(RunRequest("a", ["no-such-program"], "tiny-run"))
    assert await engine.replicas() == []


@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="needs a file system of its own")
async def test_a_full_disk_neither_ends_a_service_nor_hides_what_was_lost(tiny: Any, states: Path) -> None:
    states.mkdir()
    mount = await asyncio.create_subprocess_exec("mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", str(states))
    if await mount.wait():
        pytest.skip("no file system can be mounted here")
    try:
        go, full = states.parent / "go", states / "full"
        talk = (
            "import os, time, sys\n"
            "print('begun', flush=True)\n"
            f"while not os.path.exists({str(go)!r}): time.sleep(0.05)\n"
            "for n in range(3000): print('x' * 200, n, flush=True)\n"
            "print('written', file=open(sys.argv[1], 'w'))\n"
            "while os.path.exists(sys.argv[2]): time.sleep(0.05)\n"
            "print('room again', flush=True)\n"
            "time.sleep(1000)\n"
        )
        done = states.parent / "done"
        engine = await tiny([Service("a")], {"a": (PYTHON, "-c", talk, str(done), str(full))})
        await drain(engine.up())
        replica = await one(engine, "a")
        full.write_bytes(b"x" * 150_000)
        go.touch()
        async with asyncio.timeout(30):
            while not done.exists():  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        assert (await one(engine, "a")).state is State.RUNNING
        full.unlink()
        async with asyncio.timeout(30), aclosing(engine.logs(replica.id, follow=True)) as lines:
            texts = []
            async for line in lines:
                texts.append(line.text)
                if line.text == "room again":
                    break
        assert any("could not be written to the log: the disk was full" in text for text in texts)
        lost = sum(int(text.split()[0]) for text in texts if "could not be written" in text)
        assert lost + sum(text.startswith("xxx") for text in texts) == 3000
    finally:
        await drain(engine.down())
        await (await asyncio.create_subprocess_exec("umount", "-l", str(states))).wait()


def test_a_store_of_nothing(tmp_path: Path) -> None:
    assert Store(tmp_path / "nowhere").replicas() == []
    with pytest.raises(EngineError, match="not there"):
        Store(tmp_path).folder_of("x")
