"""Logs, statistics and events of a real engine."""

from __future__ import annotations

import asyncio
import os
import time
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from tests.engine.docker.conftest import StartStack
from tui.engine.choose import open_engine
from tui.engine.interface import Engine, EngineError, EngineGone, LogLine, Replica, RunRequest, State, drain
from tui.stack.model import Stack
from tui.watch.live import StackWatch
from tui.watch.log_ring import LogRing
from tui.watch.logs import follow
from tui.watch.outlast import Outlast

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


async def run(engine: Engine, name: str, script: str) -> Replica:
    return await engine.start_run(RunRequest("a", ["bash", "-c", script], f"{name}-job", {"run": "1"}))


async def collect(engine: Engine, replica: Replica, **options: Any) -> list[LogLine]:
    async with aclosing(engine.logs(replica.id, **options)) as lines:
        return [line async for line in lines]


async def test_twenty_thousand_lines_of_both_outputs(start_stack: Any, project_name: str) -> None:
    engine = await start_stack(SLEEPER)
    # Bash writes a line at a time; the pause lets a follower come in between.
    script = (
        "for i in $(seq 10000); do echo out $i ä; echo err $i >&2; "
        "if [ $((i % 2500)) = 0 ]; then sleep 0.3; fi; done; printf last"
    )
    replica = await run(engine, project_name, script)
    followed = await collect(engine, replica, follow=True)
    out = [line.text for line in followed if not line.is_error_stream]
    err = [line.text for line in followed if line.is_error_stream]
    assert out == [*(f"out {i} ä" for i in range(1, 10_001)), "last"]
    assert err == [f"err {i}" for i in range(1, 10_001)]
    assert await collect(engine, replica) == followed
    assert await collect(engine, replica, tail=5) == followed[-5:]
    assert await collect(engine, replica, tail=0) == []

    # From any line on, it and all after it come, and none before; lines of one instant stay together.
    for at in (0, 1, 777, 10_000, 20_000):
        since = followed[at].at_ns
        first = next(i for i, line in enumerate(followed) if line.at_ns >= since)
        resumed = await collect(engine, replica, since_ns=since)
        assert resumed == [line for line in followed if line.at_ns >= since]
        assert first <= at
    assert await collect(engine, replica, since_ns=max(line.at_ns for line in followed) + 1) == []


async def test_a_broken_off_log_is_resumed(start_stack: Any, project_name: str) -> None:
    engine = await start_stack(SLEEPER)
    replica = await run(engine, project_name, "for i in $(seq 2000); do echo $i; sleep 0.0005; done")
    seen: list[LogLine] = []
    ended = False
    async with asyncio.timeout(60):
        while not ended:
            since = seen[-1].at_ns if seen else None
            again = sum(line.at_ns == since for line in seen)
            async with aclosing(engine.logs(replica.id, since_ns=since, follow=True)) as lines:
                taken = 0
                async for line in lines:
                    if again and line.at_ns == since:
                        again -= 1
                        continue
                    seen.append(line)
                    taken += 1
                    if taken == 300:
                        break
                else:
                    ended = True
    assert [line.text for line in seen] == [str(i) for i in range(1, 2001)]


async def test_long_lines_carriage_returns_and_no_text(start_stack: Any, project_name: str) -> None:
    engine = await start_stack(SLEEPER)
    script = (
        "head -c 150000 /dev/zero | tr '\\0' x; echo; printf 'a\\rb\\rc\\n'; printf 'bad \\xff\\n'; echo; "
        "printf '\\033[31mred\\033[0m\\n'"
    )
    replica = await run(engine, project_name, script)
    texts = [line.text for line in await collect(engine, replica, follow=True)]
    assert "".join(texts[:3]) == "x" * 150_000 and max(map(len, texts)) <= 64 * 1024
    assert texts[3:] == ["a\rb\rc", "bad \ufffd", "", "\x1b[31mred\x1b[0m"]


async def test_a_terminal_has_one_output(start_stack: Any) -> None:
    engine = await start_stack(
        """
        a:
          <<: *base
          tty: true
          command: [bash, -c, "echo out; echo err >&2; head -c 40000 /dev/zero | tr '\\\\0' x; echo; printf end"]
        """
    )
    await drain(engine.up())
    (replica,) = await engine.replicas()
    texts = [line.text for line in await collect(engine, replica, follow=True)]
    assert texts == ["out", "err", "x" * 40_000, "end"]


async def test_a_follower_is_there_while_lines_come(start_stack: Any, project_name: str) -> None:
    engine = await start_stack(SLEEPER)
    replica = await run(engine, project_name, "for i in 1 2 3; do echo $i; sleep 0.5; done; sleep 60")
    async with aclosing(engine.logs(replica.id, follow=True)) as lines:
        async with asyncio.timeout(20):
            for number in "123":
                line = await anext(lines)
                assert line.text == number
                assert abs(time.time_ns() - line.at_ns) < 3e9
        await engine.end(replica.id, grace_seconds=0)
        async with asyncio.timeout(10):
            assert [line async for line in lines] == []


async def test_a_log_that_cannot_be_read_back_is_only_that_ones(start_stack: StartStack, tmp_path: Path) -> None:
    engine = await start_stack(
        """
        dumb:
          <<: *base
          command: [bash, -c, "echo never seen; sleep infinity"]
          logging: {driver: none}
        loud:
          <<: *base
          command: [bash, -c, "while :; do echo seen; sleep 0.2; done"]
        """
    )
    await drain(engine.up())
    dumb, loud = await engine.replicas()
    reason = "There is no log: the engine cannot read back what the logging driver 'none' takes"
    for options in ({}, {"follow": True}):
        with pytest.raises(EngineError, match=reason):
            await collect(engine, dumb, **options)
    told: list[str] = []
    seen: list[str] = []
    watch = StackWatch(engine, Stack("test", tmp_path, (), tmp_path), await engine.project())
    await watch.start()
    try:
        async with asyncio.timeout(30):
            async with aclosing(follow(engine, lambda one: True, 10, Outlast(engine, told.append))) as batches:
                while len(seen) < 8:
                    seen += [f"{one.replica.service}: {one.line.text}" for one in await anext(batches)]
            assert set(seen) == {"loud: seen"} and told == [f"{dumb.name}: {reason}"]
            logs: dict[str, LogRing] = {}
            while len(logs) < 2 or not logs["dumb"].total or logs["loud"].total < 4:
                await asyncio.sleep(0.1)
                logs = {pane.replica.service: pane.log for pane in watch.panes.values() if pane.replica}
        assert [entry.text for entry in logs["dumb"].rows(0, 5)] == [reason]
        assert reason not in [entry.text for entry in logs["loud"].rows(0, 50)]
    finally:
        await watch.close()
    assert (await collect(engine, loud, tail=1))[0].text == "seen"


async def test_unknown_replicas(start_stack: Any) -> None:
    engine = await start_stack(SLEEPER)
    for stream in (engine.logs("nonsense"), engine.stats("nonsense")):
        with pytest.raises(EngineError, match="nonsense"):
            await anext(stream)


async def test_stats_are_those_of_docker_stats(start_stack: Any, docker: Any) -> None:
    engine = await start_stack(
        """
        busy:
          <<: *base
          mem_limit: 256m
          cpus: 0.5
          command: [bash, -c, "x=$$(head -c 40000000 /dev/zero | tr '\\\\0' x); while :; do :; done"]
        """
    )
    await drain(engine.up())
    (replica,) = await engine.replicas()
    async with aclosing(engine.stats(replica.id)) as samples, asyncio.timeout(60):
        started = time.monotonic()
        first = await anext(samples)
        assert time.monotonic() - started < 3
        assert first.cpu_percent is None and first.memory_limit == 256 * 1024 * 1024
        second = await anext(samples)
        # Until the text is made and the loop runs at its limit.
        while not (second.memory and second.memory > 40_000_000):
            second = await anext(samples)
        reference = asyncio.create_task(
            asyncio.to_thread(
                docker, "stats", "--no-stream", "--format", "{{.CPUPerc}} {{.MemUsage}} {{.PIDs}}", replica.id
            )
        )
        seen = [await anext(samples) for _ in range(3)]
        cpu, memory, _, limit, processes = (await reference).split()
        assert memory.endswith("MiB") and limit == "256MiB"
        assert seen[-1].memory == pytest.approx(float(memory[:-3]) * 1024 * 1024, rel=0.2)
        assert seen[-1].processes == int(processes)
        assert seen[-1].network_received is not None
        used = sum(sample.cpu_percent or 0 for sample in seen) / len(seen)
        assert used == pytest.approx(float(cpu.rstrip("%")), abs=25)
        assert 10 < used < 75
        assert 0.5 < (seen[-1].at - seen[-2].at).total_seconds() < 3
        await engine.end(replica.id, grace_seconds=0)
        assert len([sample async for sample in samples]) < 4


async def test_stats_of_an_ended_replica_end(start_stack: Any, project_name: str) -> None:
    engine = await start_stack(SLEEPER)
    replica = await run(engine, project_name, "exit 0")
    await collect(engine, replica, follow=True)
    async with asyncio.timeout(10):
        async with aclosing(engine.events()) as events:
            while (await engine.replicas())[0].state is not State.ENDED:
                await anext(events)
        assert [sample async for sample in engine.stats(replica.id)] == []


async def test_events(start_stack: Any, project_name: str, docker: Any) -> None:
    engine = await start_stack(
        """
        a:
          <<: *base
          command: [sleep, infinity]
          healthcheck: {test: "true", interval: 1s}
        """
    )
    events = engine.events()
    # Not listened to yet, and still nothing from here on is lost. Others' containers are others' business.
    await drain(engine.up())
    docker("run", "--rm", "--name", f"{project_name}-foreign", "debian:bookworm-slim", "true")
    (replica,) = await engine.replicas()
    async with aclosing(events), asyncio.timeout(30):
        found = [await anext(events) for _ in range(3)]
        assert [(event.kind, event.service, event.replica_id) for event in found] == [
            ("created", "a", replica.id),
            ("started", "a", replica.id),
            ("health", "a", replica.id),
        ]
        assert found[2].detail == "healthy"
        await engine.execute("a", ["true"])
        killing = asyncio.create_task(asyncio.to_thread(docker, "kill", replica.id))
        event = await anext(events)
        while event.kind != "ended":
            event = await anext(events)
        assert event.detail == "exit code 137"
        assert abs(time.time() - event.at.timestamp()) < 1
        await killing
        await drain(engine.down())
        assert (await anext(events)).kind == "removed"


class Relay:
    """Stands between us and the engine, and can go away as an engine does."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._target = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock").removeprefix("unix://")
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        self._server = await asyncio.start_unix_server(self._serve, str(self.path))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, away = await asyncio.open_unix_connection(self._target)
        self._writers |= {writer, away}
        for source, sink in ((reader, away), (there, writer)):
            self._tasks.add(asyncio.create_task(self._copy(source, sink)))

    async def _copy(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        while chunk := await source.read(65536):
            sink.write(chunk)
            await sink.drain()
        sink.close()

    async def stop(self) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for writer in self._writers:
            writer.close()
        await asyncio.gather(*(writer.wait_closed() for writer in self._writers), return_exceptions=True)
        self.path.unlink(missing_ok=True)


async def test_an_engine_that_goes_away(
    start_stack: Any, project_name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not os.environ.get("DOCKER_HOST", "unix://").startswith("unix://"):
        pytest.skip("the engine is not behind a local socket")
    near = await start_stack(SLEEPER)
    replica = await run(near, project_name, "while :; do echo x; sleep 0.1; done")
    relay = Relay(tmp_path / "relay.sock")
    await relay.start()
    monkeypatch.setenv("DOCKER_HOST", f"unix://{relay.path}")
    engine = await open_engine(Stack("test", tmp_path, (tmp_path / "compose.yaml",), tmp_path))
    monkeypatch.undo()
    try:
        streams = [engine.logs(replica.id, follow=True), engine.stats(replica.id), engine.events()]
        waiting = [asyncio.create_task(_to_end(stream)) for stream in streams]
        async with asyncio.timeout(20):
            async with aclosing(engine.logs(replica.id, follow=True)) as lines:
                await anext(lines)
            await asyncio.sleep(1)
            await relay.stop()
            ends = await asyncio.gather(*waiting, return_exceptions=True)
        assert [type(end) for end in ends] == [EngineGone] * 3, ends
        assert all(str(relay.path) in str(end) for end in ends)
        with pytest.raises(EngineGone):
            await engine.replicas()
        with pytest.raises(EngineGone):
            await drain(engine.up())
    finally:
        await engine.close()
    (left,) = [one for one in await near.replicas() if one.is_run]
    assert left.state is State.RUNNING


async def _to_end(stream: Any) -> None:
    async with aclosing(stream):
        async for _ in stream:
            pass
