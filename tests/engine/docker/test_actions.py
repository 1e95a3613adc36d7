"""What changes a stack, on a real engine."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from tui.engine.interface import (
    Engine,
    EngineError,
    Event,
    Health,
    Replica,
    RunRequest,
    State,
    drain,
)

pytestmark = [
    pytest.mark.engine,
    pytest.mark.filterwarnings("error::ResourceWarning"),
    pytest.mark.filterwarnings("error::pytest.PytestUnraisableExceptionWarning"),
]

SLEEPER = """
a:
  <<: *base
  command: [sleep, infinity]
"""


async def one(engine: Engine, service: str) -> Replica:
    (found,) = [replica for replica in await engine.replicas() if replica.service == service]
    return found


async def until(engine: Engine, reached: Callable[[list[Replica]], bool], timeout: float = 30) -> list[Replica]:
    """The replicas as soon as an event made them what is awaited."""
    async with asyncio.timeout(timeout), aclosing(engine.events()) as events:
        waiting: AsyncIterator[Event] = events
        while not reached(found := await engine.replicas()):
            await anext(waiting)
        return found


async def test_a_stack_from_start_to_end(start_stack: Any, docker: Any, project_name: str) -> None:
    engine = await start_stack(
        """
        web:
          <<: *base
          command: [sleep, infinity]
          environment: {COLOUR: red}
          ports: ["127.0.0.1::80"]
          healthcheck: {test: "echo all is well", interval: 1s, retries: 1}
          depends_on: {prepare: {condition: service_completed_successfully}}
        prepare:
          <<: *base
          command: [sh, -c, "exit 0"]
        ill:
          <<: *base
          command: [sleep, infinity]
          healthcheck: {test: "echo no luck; exit 1", interval: 1s, retries: 1}
        """
    )
    assert engine.info.kind == "docker" and engine.info.version and "context" in engine.info.endpoint
    project = await engine.project()
    assert (project.name, set(project.services)) == (project_name, {"web", "prepare", "ill"})
    assert await engine.replicas() == []

    said = await drain(engine.up())
    assert any("web-1" in line for line in said)
    decided = (Health.HEALTHY, Health.UNHEALTHY)
    await until(engine, lambda all: sum(replica.health in decided for replica in all) == 2)
    web, prepare, ill = [await one(engine, name) for name in ("web", "prepare", "ill")]
    assert (web.state, web.health, web.health_output, web.exit_code) == (
        State.RUNNING,
        Health.HEALTHY,
        "all is well",
        None,
    )
    assert (ill.health, ill.health_output) == (Health.UNHEALTHY, "no luck")
    assert (prepare.state, prepare.exit_code, prepare.health) == (State.ENDED, 0, Health.NONE)
    assert prepare.started_at and prepare.ended_at and prepare.started_at <= prepare.ended_at
    assert web.ended_at is None and web.number == 1 and web.command == ("sleep", "infinity")
    (port,) = web.ports
    assert f"127.0.0.1:{port.published}" == docker("port", web.id, "80")
    assert web.host == f"{project_name}-web-1"
    seen = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}"
    assert web.addresses == (docker("inspect", "-f", seen, web.id),)
    assert (await engine.record(web.id))["Config"] == json.loads(docker("inspect", "-f", "{{json .Config}}", web.id))
    with pytest.raises(EngineError, match="cannot be read"):
        await engine.record("nobody")
    titles, *inside = await engine.processes(web.id)
    assert titles[-1] == "COMMAND" and any(row[-1] == "sleep infinity" for row in inside)
    with pytest.raises(EngineError, match="processes cannot be listed"):
        await engine.processes(prepare.id)

    await drain(engine.restart(["web"]))
    again = await one(engine, "web")
    assert again.id == web.id and again.started_at and web.started_at and again.started_at > web.started_at
    await drain(engine.up(["web"], recreate=True))
    assert (await one(engine, "web")).id != web.id
    await drain(engine.stop(["web"]))
    stopped = await one(engine, "web")
    assert stopped.state is State.ENDED and stopped.exit_code is not None
    assert (await one(engine, "ill")).state is State.RUNNING
    await drain(engine.down())
    assert await engine.replicas() == []
    assert not docker("ps", "-aq", "--filter", f"label=com.docker.compose.project={project_name}")
    assert not docker("network", "ls", "-q", "--filter", f"label=com.docker.compose.project={project_name}")


async def test_scale(start_stack: Any) -> None:
    engine = await start_stack(
        """
        first:
          <<: *base
          command: [sleep, infinity]
        extra:
          <<: *base
          command: [sleep, infinity]
          profiles: [extra]
          depends_on: [first]
        single:
          <<: *base
          command: [sleep, infinity]
          container_name: sdtest-single
        """
    )

    async def extras() -> dict[int, str]:
        return {one.number: one.id for one in await engine.replicas() if one.service == "extra"}

    await drain(engine.scale("extra", 1))
    before = await extras()
    assert list(before) == [1]
    await drain(engine.scale("extra", 4))
    four = await extras()
    assert list(four) == [1, 2, 3, 4] and four[1] == before[1]
    await drain(engine.scale("extra", 2))
    assert await extras() == {1: four[1], 2: four[2]}
    assert {replica.service for replica in await engine.replicas()} == {"extra"}
    await drain(engine.scale("extra", 0))
    assert await extras() == {}
    with pytest.raises(EngineError, match="container_name"):
        await drain(engine.scale("single", 2))
    with pytest.raises(EngineError, match=r"no service 'none'.*first, "):
        await drain(engine.scale("none", 2))


async def test_a_run(start_stack: Any, docker: Any, project_name: str) -> None:
    engine = await start_stack(
        """
        client:
          <<: *base
          entrypoint: [env, BY=entrypoint]
          command: [sleep, infinity]
          restart: always
          ports: ["127.0.0.1::80"]
          environment: {COLOUR: red, SHAPE: round}
          depends_on: [other]
        other:
          <<: *base
          command: [sleep, infinity]
        """
    )
    name = f"{project_name}-job"
    request = RunRequest(
        "client",
        ["sh", "-c", 'read -r x; echo "$BY $COLOUR $SHAPE $1"; echo trouble >&2; exit 3', "sh", "--a b"],
        name,
        {"run": "7", "args": '["a,b", "c=d"]'},
        {"COLOUR": "blue, or \ngreen"},
    )
    run = await engine.start_run(request)
    assert run.is_run and run.name == name and run.service == "client" and run.ports == ()
    assert run.labels == {"run": "7", "args": '["a,b", "c=d"]'}
    lines = [line async for line in engine.logs(run.id, follow=True)]
    assert [line.text for line in lines if not line.is_error_stream] == [
        "entrypoint blue, or ",
        "green round --a b",
    ]
    assert [line.text for line in lines if line.is_error_stream] == ["trouble"]
    (found,) = await until(engine, lambda all: all[0].state is State.ENDED)
    assert (found.id, found.exit_code, found.restarts) == (run.id, 3, 0)
    with pytest.raises(EngineError, match="already in use"):
        await engine.start_run(request)
    assert [replica.id for replica in await engine.replicas()] == [run.id]

    broken = RunRequest("client", ["no-such-program"], f"{name}-2", {"run": "8"})
    broken_id = (await engine.start_run(broken)).id
    both = await until(engine, lambda all: [one.state for one in all] == [State.ENDED, State.ENDED])
    (ended,) = [one for one in both if one.id == broken_id]
    assert ended.exit_code == 127
    await engine.remove(run.id)
    await engine.remove(ended.id)
    assert await engine.replicas() == []
    with pytest.raises(EngineError, match=r"[Nn]o such container"):
        await engine.remove(run.id)


async def test_a_run_that_cannot_start_leaves_nothing(start_stack: Any, project_name: str) -> None:
    # An init would start, and only then miss the program.
    engine = await start_stack(SLEEPER + "  init: false\n")
    with pytest.raises(EngineError, match="no-such-program"):
        await engine.start_run(RunRequest("a", ["no-such-program"], f"{project_name}-job", {"run": "1"}))
    assert await engine.replicas() == []


async def test_a_run_survives_and_is_signalled_and_ended(start_stack: Any, project_name: str) -> None:
    engine: Engine = await start_stack(SLEEPER)
    command = ["bash", "-c", "trap 'echo power' PWR; echo up; while :; do sleep 0.1; done"]
    run = await engine.start_run(RunRequest("a", command, f"{project_name}-job", {"run": "1"}))
    await engine.close()

    engine = await start_stack(SLEEPER)
    (found,) = await engine.replicas()
    assert (found.id, found.state) == (run.id, State.RUNNING)
    async with aclosing(engine.logs(run.id, follow=True)) as lines:
        assert (await anext(lines)).text == "up"
        # The container's first process is an init, which hands the signal on.
        await engine.signal(run.id, "PWR")
        assert (await anext(lines)).text == "power"
    with pytest.raises(EngineError, match="SIGNONSENSE"):
        await engine.signal(run.id, "nonsense")
    with pytest.raises(EngineError, match=r"cannot be removed.*running"):
        await engine.remove(run.id)
    await engine.end(run.id, grace_seconds=5)
    assert (await engine.replicas())[0].exit_code == 143
    await engine.end(run.id)
    await drain(engine.up())
    await drain(engine.down())
    assert await engine.replicas() == []


async def test_down_takes_runs_foreign_ones_and_orphans(
    start_stack: Any, docker: Any, project_name: str, tmp_path: Path
) -> None:
    engine = await start_stack(SLEEPER + "\nb:\n  <<: *base\n  command: [sleep, infinity]\n  profiles: [p]\n")
    await drain(engine.up(["a", "b"]))
    await engine.start_run(RunRequest("a", ["sleep", "600"], f"{project_name}-job", {"run": "1"}))
    docker("compose", "--project-directory", str(tmp_path), "run", "-d", "--no-deps", "a", "sleep", "600")
    assert len(await engine.replicas()) == 3
    engine = await start_stack(SLEEPER)
    assert len(await engine.replicas()) == 3
    await drain(engine.down())
    label = f"label=com.docker.compose.project={project_name}"
    assert not docker("ps", "-aq", "--filter", label) and not docker("network", "ls", "-q", "--filter", label)


async def test_out_of_memory(start_stack: Any) -> None:
    engine = await start_stack(
        """
        hungry:
          <<: *base
          init: false
          mem_limit: 16m
          memswap_limit: 16m
          command: [tail, /dev/zero]
        """
    )
    async with aclosing(engine.events()) as events:
        await drain(engine.up())
        async with asyncio.timeout(30):
            kinds = {(await anext(events)).kind}
            while "ended" not in kinds:
                kinds.add((await anext(events)).kind)
    assert "out-of-memory" in kinds
    hungry = await one(engine, "hungry")
    assert (hungry.out_of_memory, hungry.exit_code) == (True, 137)


async def test_a_taken_port_names_its_holder(start_stack: Any) -> None:
    services = """
    a:
      <<: *base
      command: [sleep, infinity]
      ports: ["127.0.0.1:{}:80"]
    b:
      <<: *base
      command: [sleep, infinity]
      ports: ["127.0.0.1:{}:80"]
    """
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        engine = await start_stack(services.format(port, port))
        with pytest.raises(EngineError, match=rf"port {port} .*\(process {os.getpid()}\).* \.env"):
            await drain(engine.up(["a"]))
    await drain(engine.up(["a"]))
    with pytest.raises(EngineError, match=rf"port {port} .* container \S+-a-1 of the stack"):
        await drain(engine.up(["b"]))


async def test_errors_are_composes_own_words(start_stack: Any, tmp_path: Path) -> None:
    engine = await start_stack(SLEEPER + "  env_file: [missing.env]\n")
    with pytest.raises(EngineError, match=r"missing\.env"):
        await engine.project()
    with pytest.raises(EngineError, match=r"missing\.env"):
        await drain(engine.up())
    engine = await start_stack(
        """
        a:
          <<: *base
          volumes: [{type: bind, source: ./nowhere, target: /data, bind: {create_host_path: false}}]
        """
    )
    with pytest.raises(EngineError, match="nowhere"):
        await drain(engine.up())
    engine = await start_stack("a: {image: 'no-such-image:at-all', pull_policy: never}")
    with pytest.raises(EngineError, match="no-such-image:at-all"):
        await drain(engine.up())


async def test_build_and_remove_all(start_stack: Any, docker: Any, tmp_path: Path, project_name: str) -> None:
    (tmp_path / "Dockerfile").write_text("FROM debian:bookworm-slim\nARG WORD=none\nRUN echo building $WORD\n")
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "file").write_text("mine")
    rest = "volumes: {store: {}}"
    engine = await start_stack(
        f"""
        maker:
          <<: *base
          build: {{context: ., args: {{WORD: {project_name}}}}}
          image: {project_name}-own:1
          command: [sleep, infinity]
        user:
          <<: *base
          image: {project_name}-own:1
          command: [sh, -c, "echo data > /store/data; sleep infinity"]
          volumes: ["store:/store", "./kept:/kept"]
        """,
        rest=rest,
    )
    said = await drain(engine.up(["user"]))
    assert any(f"building {project_name}" in line for line in said), said
    assert not any("pull access denied" in line for line in said), said
    await engine.start_run(RunRequest("user", ["sleep", "600"], f"{project_name}-job", {"run": "1"}))
    assert any("CACHED" in line for line in await drain(engine.build()))
    assert not any("CACHED" in line and "RUN" in line for line in await drain(engine.build(fresh=True)))
    found = await engine.removables()
    # The fresh build took the name from the one before.
    kinds = ["replica", "replica", "network", "volume", "image", "image"]
    assert [item.kind for item in found] == kinds
    named = {item.name for item in found if item.kind in ("volume", "image")}
    assert named > {f"{project_name}_store", f"{project_name}-own:1"}
    assert all(item.size for item in found if item.kind in ("volume", "image"))
    said = await drain(engine.remove_all())
    assert len(said) == len(found)
    assert await engine.removables() == []
    assert (tmp_path / "kept" / "file").read_text() == "mine"
    assert docker("image", "ls", "-q", "debian:bookworm-slim")


async def test_a_failed_build_says_why(start_stack: Any, tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM debian:bookworm-slim\nRUN echo the reason >&2 && exit 9\n")
    engine = await start_stack("a: {build: .}")
    with pytest.raises(EngineError, match=r"(?s)the reason.*exit code: 9"):
        await drain(engine.up())


async def test_execute_and_shell(start_stack: Any) -> None:
    engine = await start_stack(SLEEPER)
    with pytest.raises(EngineError, match="a is not running"):
        await engine.execute("a", ["true"])
    await drain(engine.up())
    assert await engine.execute("a", ["sh", "-c", "echo out; echo err >&2; exit 5"]) == (5, "out\nerr\n")
    code, text = await engine.execute("a", ["sh", "-c", "head -c 5000000 /dev/zero | tr '\\0' x"])
    assert (code, len(text)) == (0, 1024 * 1024)
    command = await engine.shell_command("a", ["sh", "-c", "echo $X"], env={"X": "a b"}, terminal=False)
    done = await asyncio.to_thread(subprocess.run, command, cwd="/", capture_output=True, text=True)
    assert done.stdout == "a b\n"
    shell = await engine.shell_command("a", terminal=False)
    done = await asyncio.to_thread(
        subprocess.run, shell, cwd="/", capture_output=True, text=True, input="echo $BASH; exit 4"
    )
    assert (done.stdout, done.returncode) == ("/bin/bash\n", 4) or done.stdout.endswith("bash\n")
