"""Parts that fail: told of, written down with their traceback, begun again; and nothing is left at the end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from tests.watch.conftest import until
from tui.watch import supervise
from tui.watch.supervise import Supervisor, failure_file, written_failures


@pytest.fixture
async def supervisor() -> AsyncGenerator[Supervisor]:
    made = Supervisor()
    yield made
    await made.close()


def endless(depth: int = 0) -> int:
    return endless(depth + 1)


@pytest.mark.parametrize("error", [RuntimeError("boom"), KeyError("web"), RecursionError("too deep"), AssertionError()])
async def test_a_part_that_fails_is_told_of_and_begun_again(supervisor: Supervisor, error: Exception) -> None:
    heard: list[Exception] = []
    begun = 0

    async def part() -> None:
        nonlocal begun
        begun += 1
        if begun < 3:
            raise error
        await asyncio.Event().wait()

    task = supervisor.keep("the part", part, lambda why, pause: heard.append(why))
    await until(lambda: begun == 3)
    assert not task.done() and heard == [error, error]
    failure = supervisor.failures["the part"]
    assert failure.error.startswith(type(error).__name__)
    assert written_failures() == [failure_of for failure_of in written_failures() if failure_of.part == "the part"]
    assert "in part\n    raise error" in failure_file().read_text()
    task.cancel()
    await until(task.done)
    assert not supervisor.failures


async def test_a_part_that_stays_well_is_no_longer_a_failure(
    supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervise, "WELL_SECONDS", 0.5)
    tries = iter([True])

    async def part() -> None:
        if next(tries, False):
            raise ValueError("once")
        await asyncio.Event().wait()

    supervisor.keep("the part", part)
    await until(lambda: supervisor.failures)
    await until(lambda: not supervisor.failures)
    assert [failure.error for failure in written_failures()] == ["ValueError: once"]


async def test_what_is_expected_is_no_failure_and_a_hurry_ends_the_pause(
    supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervise, "FIRST_PAUSE", 1000.0)
    heard: list[float] = []

    async def part() -> None:
        raise OSError("away")

    supervisor.keep("the part", part, lambda why, pause: heard.append(pause), expected=OSError)
    await until(lambda: len(heard) == 1)
    supervisor.hurry()
    await until(lambda: len(heard) == 2)
    assert not supervisor.failures and not failure_file().exists()


async def test_who_hears_of_a_failure_may_fail_too(supervisor: Supervisor) -> None:
    begun = 0

    async def part() -> None:
        nonlocal begun
        begun += 1
        raise RuntimeError("first")

    def failed(error: Exception, pause: float) -> None:
        raise KeyError("second")

    supervisor.keep("the part", part, failed)
    await until(lambda: begun == 2)
    assert "second" in failure_file().read_text()


async def test_the_file_is_bounded_and_keeps_the_newest(
    supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervise, "LONGEST_FILE", 16 * 1024)
    for number in range(40):
        try:
            endless()
        except RecursionError as error:
            await supervisor.note("the part", type(error)(f"number {number}").with_traceback(error.__traceback__))
    assert failure_file().stat().st_size < supervise.LONGEST_FILE + supervise.LONGEST_TRACEBACK + 1000
    told = [failure.error for failure in written_failures()]
    assert told[-1] == "RecursionError: number 39" and 5 < len(told) < 40
    assert failure_file().stat().st_mode & 0o777 == 0o600


async def test_where_nothing_can_be_written_nothing_breaks(
    supervisor: Supervisor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    await supervisor.note("the part", ValueError("lost"))
    assert supervisor.failures["the part"].error == "ValueError: lost" and written_failures() == []


async def test_closing_leaves_nothing() -> None:
    before = asyncio.all_tasks()
    supervisor = Supervisor()

    async def inner() -> None:
        await asyncio.Event().wait()

    async def outer() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            supervisor.keep("begun at the end", inner)

    supervisor.keep("outer", outer)
    await asyncio.sleep(0)
    await supervisor.close()
    assert asyncio.all_tasks() == before
