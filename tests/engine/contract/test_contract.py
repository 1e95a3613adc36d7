"""What every engine must do, on a real one: actions, states, logs, events, samples, runs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing

import pytest

from tests.engine.contract.conftest import Start
from tui.engine.interface import (
    Address,
    Capability,
    Engine,
    EngineError,
    EngineGone,
    Event,
    Health,
    LogLine,
    NoWay,
    Replica,
    RunRequest,
    State,
    drain,
)


async def one(engine: Engine, service: str, number: int = 1) -> Replica:
    (found,) = [
        replica
        for replica in await engine.replicas()
        if (replica.service, replica.number, replica.is_run) == (service, number, False)
    ]
    return found


async def until(engine: Engine, reached: Callable[[list[Replica]], bool], seconds: float = 60) -> list[Replica]:
    async with asyncio.timeout(seconds), aclosing(engine.events()) as events:
        waiting: AsyncIterator[Event] = events
        while not reached(found := await engine.replicas()):
            await anext(waiting)
        return found


def is_healthy(service: str) -> Callable[[list[Replica]], bool]:
    return lambda found: any(one.service == service and one.health is Health.HEALTHY for one in found)


async def test_it_says_what_it_is(start: Start, kind: str) -> None:
    info = (await start()).info
    assert info.kind == kind and info.version and info.endpoint and info.memory_is
    assert info.cores and info.memory and info.memory > 100_000_000


async def test_services_start_in_their_order_and_are_taken_down(start: Start) -> None:
    engine = await start()
    project = await engine.project()
    assert set(project.services) == {"prepare", "web", "talk", "greet"}
    assert await engine.replicas() == []
    kinds: list[tuple[str, str]] = []

    async def listen() -> None:
        async with aclosing(engine.events()) as events:
            async for event in events:
                kinds.append((event.service, event.kind))

    listener = asyncio.create_task(listen())
    await asyncio.sleep(0)
    said = await drain(engine.up())
    assert any("web" in line for line in said)
    prepare, web, talk = [await one(engine, name) for name in ("prepare", "web", "talk")]
    assert (prepare.state, prepare.exit_code) == (State.ENDED, 0)
    assert (web.state, web.health, talk.state) == (State.RUNNING, Health.HEALTHY, State.RUNNING)
    assert prepare.ended_at and web.started_at and prepare.ended_at <= web.started_at
    assert talk.started_at and web.started_at <= talk.started_at
    # Again: nothing changes.
    await drain(engine.up())
    assert [replica.id for replica in await engine.replicas()] == [talk.id, web.id, prepare.id] or {
        replica.id for replica in await engine.replicas()
    } >= {web.id, talk.id}
    await drain(engine.down())
    assert await engine.replicas() == []
    async with asyncio.timeout(10):
        while ("web", "removed") not in kinds:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    listener.cancel()
    await asyncio.gather(listener, return_exceptions=True)
    for service in ("web", "talk"):
        of_it = [kind for name, kind in kinds if name == service]
        assert of_it.index("created") < of_it.index("started") < of_it.index("ended") < of_it.index("removed")
    assert ("web", "health") in kinds


async def test_a_one_shot_that_fails_is_named_and_nobody_starts_who_waits_for_it(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PREPARED", "3")
    engine = await start()
    with pytest.raises(EngineError, match=r"prepare.*\b3\b"):
        await drain(engine.up())
    assert not [one for one in await engine.replicas() if one.state is State.RUNNING]
    monkeypatch.delenv("PREPARED")
    await drain(engine.up())
    assert is_healthy("web")(await engine.replicas()), "mended, it goes on"


async def test_a_one_shot_works_again_with_the_next_up_and_is_waited_for(start: Start) -> None:
    engine = await start()
    await drain(engine.up(["web"]))
    before = await one(engine, "prepare")
    await drain(engine.stop(["web"]))
    await drain(engine.up(["web"]))
    after, web = await one(engine, "prepare"), await one(engine, "web")
    assert (after.id, after.state, after.exit_code) == (before.id, State.ENDED, 0)
    assert before.started_at and after.ended_at and web.started_at
    assert before.started_at < after.ended_at <= web.started_at


async def test_stop_restart_recreate_keep_and_replace(start: Start) -> None:
    engine = await start()
    await drain(engine.up())
    before = await one(engine, "talk")
    await drain(engine.stop(["talk"]))
    stopped = await one(engine, "talk")
    assert stopped.state is State.ENDED and stopped.exit_code is not None and stopped.id == before.id
    assert (await one(engine, "web")).state is State.RUNNING
    await engine.start_replica(before.id)
    again = await one(engine, "talk")
    assert again.state is State.RUNNING and again.id == before.id
    await engine.restart_replica(before.id)
    restarted = await one(engine, "talk")
    assert restarted.id == before.id and again.started_at and restarted.started_at
    assert restarted.started_at > again.started_at
    await drain(engine.restart(["talk"]))
    assert (await one(engine, "talk")).id == before.id
    await drain(engine.up(["talk"], recreate=True))
    new = await one(engine, "talk")
    assert new.id != before.id and new.state is State.RUNNING


async def test_a_crash_is_an_event_with_its_exit_code(start: Start) -> None:
    engine = await start()
    await drain(engine.up(["web"]))
    replica = await one(engine, "web")
    async with asyncio.timeout(30), aclosing(engine.events()) as events:
        waiting = asyncio.ensure_future(anext(aiter(events)))
        await asyncio.sleep(0.3)
        await engine.signal(replica.id, "KILL")
        seen = await waiting
        while seen.kind != "ended":
            seen = await anext(aiter(events))
    assert (seen.service, seen.replica_id) == ("web", replica.id) and "137" in seen.detail
    assert (await one(engine, "web")).exit_code == 137
    await drain(engine.up(["web"]))
    await until(engine, is_healthy("web"))


async def test_scaling_up_and_down(start: Start) -> None:
    engine = await start()
    await drain(engine.up(["talk"]))
    first = await one(engine, "talk")
    await drain(engine.scale("talk", 3))
    replicas = [replica for replica in await engine.replicas() if replica.service == "talk"]
    assert [replica.number for replica in replicas] == [1, 2, 3]
    assert all(replica.state is State.RUNNING for replica in replicas) and replicas[0].id == first.id
    assert await engine.execute("talk", ["sh", "-c", "echo in"], replica_id=replicas[2].id) == (0, "in\n")
    await drain(engine.scale("talk", 1))
    assert [(replica.number, replica.id) for replica in await engine.replicas() if replica.service == "talk"] == [
        (1, first.id)
    ]


async def read(engine: Engine, replica: Replica, count: int, **how: int | bool | None) -> list[LogLine]:
    """So many lines of a log."""
    found = []
    async with asyncio.timeout(30), aclosing(engine.logs(replica.id, **how)) as lines:  # type: ignore[arg-type]
        async for line in lines:
            found.append(line)
            if len(found) == count:
                break
    return found


async def test_logs_are_read_from_both_ends_followed_and_go_on_over_a_restart(start: Start) -> None:
    engine = await start()
    await drain(engine.up(["talk"]))
    replica = await one(engine, "talk")
    lines = await read(engine, replica, 10, follow=True)
    assert {line.text for line in lines if not line.is_error_stream} >= {"line 1", "line 2", "line 3"}
    assert "error 1" in {line.text for line in lines if line.is_error_stream}
    assert [line.at_ns for line in lines] == sorted(line.at_ns for line in lines)
    # From a time on, inclusive; the last ones; up to a time.
    since = lines[4].at_ns
    assert (await read(engine, replica, 3, since_ns=since))[0] == lines[4]
    assert len(await read(engine, replica, 99, tail=2)) == 2
    assert await read(engine, replica, 99, until_ns=since) == lines[:5]
    await engine.restart_replica(replica.id)
    async with asyncio.timeout(30), aclosing(engine.logs(replica.id, follow=True)) as following:
        texts = []
        async for line in following:
            texts.append(line.text)
            if texts.count("line 2") == 2:
                break
    assert texts.count("line 1") == 2


async def test_following_ends_with_the_replica(start: Start) -> None:
    engine = await start()
    await drain(engine.up(["talk"]))
    replica = await one(engine, "talk")

    async def everything() -> list[str]:
        async with aclosing(engine.logs(replica.id, follow=True)) as lines:
            return [line.text async for line in lines]

    async with asyncio.timeout(40):
        following = asyncio.create_task(everything())
        await read(engine, replica, 4, follow=True)
        await engine.end(replica.id, grace_seconds=1)
        assert "line 2" in await following


async def test_samples(start: Start) -> None:
    engine = await start()
    await drain(engine.up(["talk"]))
    replica = await one(engine, "talk")
    samples = []
    async with asyncio.timeout(30), aclosing(engine.stats(replica.id)) as stats:
        async for sample in stats:
            samples.append(sample)
            if len(samples) == 3:
                break
    last = samples[-1]
    assert last.replica_id == replica.id and last.cpu_percent is not None and last.cpu_percent >= 0
    assert last.memory is not None and 10_000 < last.memory < 500_000_000
    assert last.processes is not None and last.processes >= 1
    rows = await engine.processes(replica.id)
    assert any("line" in row[-1] for row in rows[1:]) and len({len(row) for row in rows}) == 1


async def test_commands_in_a_service(start: Start) -> None:
    engine = await start()
    await drain(engine.up(["web"]))
    assert await engine.execute("web", ["sh", "-c", "echo out; echo err >&2; exit 3"]) == (3, "out\nerr\n")
    assert await engine.execute("web", ["sh", "-c", "echo $COLOUR"]) == (0, "red\n")
    argv = await engine.shell_command("web", ["sh", "-c", "echo $COLOUR $MORE"], env={"MORE": "x"}, terminal=False)
    process = await asyncio.create_subprocess_exec(*argv, stdout=asyncio.subprocess.PIPE)
    out, _ = await process.communicate()
    assert (process.returncode, out.split()) == (0, [b"red", b"x"])
    with pytest.raises(EngineError, match="sleep in web still runs after 1 s"):
        await engine.execute("web", ["sleep", "60"], timeout=1)
    with pytest.raises(EngineError, match="not running"):
        await engine.execute("talk", ["true"])
    record = await engine.record((await one(engine, "web")).id)
    assert "COLOUR=red" in record["Config"]["Env"]


async def test_a_run_outlives_who_started_it_and_is_found_again(start: Start) -> None:
    engine = await start()
    await drain(engine.up(["web"]))
    request = RunRequest(
        "web", ["sh", "-c", "echo $WORD $COLOUR; sleep 1; exit 5"], "contract-run-1", {"job": "train"}, {"WORD": "hi"}
    )
    run = await engine.start_run(request)
    assert run.is_run and run.labels["job"] == "train" and run.state is State.RUNNING
    await engine.close()
    with pytest.raises(EngineGone):
        await engine.replicas()
    again = await start()
    await until(again, lambda found: any(one.is_run and one.state is State.ENDED for one in found))
    (found,) = [one for one in await again.replicas() if one.is_run]
    assert (found.exit_code, found.labels["run"]) == (5, "contract-run-1")
    assert [line.text for line in await read(again, found, 9)] == ["hi red"]
    # Runs are none of the stack's services.
    await drain(again.restart())
    assert (await again.replicas())[-1].exit_code == 5
    await again.remove(found.id)
    assert not any(one.is_run for one in await again.replicas())


async def test_a_run_with_arguments_has_the_services_own_command_before_them(start: Start) -> None:
    engine = await start()
    run = await engine.start_run(RunRequest("greet", (), "contract-run-2", arguments=["$COLOUR", "two words"]))
    await until(engine, lambda found: any(one.is_run and one.state is State.ENDED for one in found))
    assert [line.text for line in await read(engine, run, 9)] == ["hello $COLOUR, two words"]


async def test_what_would_be_removed_is_what_is_removed(start: Start) -> None:
    engine = await start()
    await drain(engine.up(["talk"]))
    names = {replica.name for replica in await engine.replicas()}
    removable = await engine.removables()
    assert {one.name for one in removable if one.kind == "replica"} == names and len(names) == 3
    await drain(engine.remove_all())
    assert await engine.replicas() == [] and await engine.removables() == []


async def test_only_what_has_ended_can_be_removed(start: Start) -> None:
    engine = await start()
    await drain(engine.up(["web"]))
    web = await one(engine, "web")
    with pytest.raises(EngineError, match="cannot be removed"):
        await engine.remove(web.id)
    assert (await one(engine, "web")).state is State.RUNNING
    await engine.end(web.id, grace_seconds=1)
    await engine.remove(web.id)
    assert [replica.service for replica in await engine.replicas()] == ["prepare"]
    with pytest.raises(EngineError):
        await engine.start_replica(web.id)


async def test_a_signal_is_an_event_and_an_unknown_one_is_refused(start: Start) -> None:
    engine = await start()
    await drain(engine.up(["web"]))
    web = await one(engine, "web")
    async with asyncio.timeout(30), aclosing(engine.events()) as events:
        waiting = asyncio.ensure_future(anext(aiter(events)))
        await asyncio.sleep(0.3)
        await engine.signal(web.id, "CONT")
        seen = await waiting
        while seen.kind != "signalled":
            seen = await anext(aiter(events))
    assert (seen.service, seen.replica_id) == ("web", web.id)
    assert (await one(engine, "web")).state is State.RUNNING
    with pytest.raises(EngineError):
        await engine.signal(web.id, "NONSENSE")


async def test_where_a_port_is_or_why_it_cannot_be_reached(start: Start) -> None:
    engine = await start()
    await drain(engine.up(["talk"]))
    talk = await one(engine, "talk")
    found = await engine.reach(talk, 9)
    assert (found.host and found.port) if isinstance(found, Address) else found.why
    await drain(engine.stop(["talk"]))
    assert await engine.reach(await one(engine, "talk"), 9) == NoWay("it is ended")


async def test_it_has_what_it_is_asked_for_or_says_why_not(start: Start) -> None:
    engine = await start()
    assert [engine.lacks(capability) for capability in Capability] == [""] * len(Capability)


async def test_what_is_not_there_is_said(start: Start) -> None:
    engine = await start()
    for act in (engine.stop(["nobody"]), engine.up(["nobody"]), engine.scale("nobody", 2)):
        with pytest.raises(EngineError, match="nobody"):
            await drain(act)
    with pytest.raises(EngineError):
        await engine.record("nobody")
    assert await engine.removables() == []
