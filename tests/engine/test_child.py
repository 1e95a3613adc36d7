"""Child processes: read as they speak, ended when nobody listens, and with us, however we end."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from contextlib import aclosing
from pathlib import Path

import psutil
import pytest

from tui.engine import child

# A question that never ends and does not listen, asked by a process that is killed.
ASKING = """
import asyncio, pathlib, sys
from tui.engine import child
script = "trap '' INT TERM; sleep 300 & echo $$ >asked; wait; wait"
asyncio.run(child.output(["sh", "-c", script], pathlib.Path(sys.argv[1]), {}, limit=9, seconds=300))
"""


def children() -> set[int]:
    return {child.pid for child in psutil.Process().children(recursive=True)}


async def test_a_process_that_does_not_listen_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child, "STOP_SECONDS", 0.5)
    script = (
        "import signal, subprocess, sys; signal.signal(signal.SIGINT, signal.SIG_IGN)\n"
        "print('up', flush=True); subprocess.run(['sleep', '300'])"
    )
    before = children()
    async with aclosing(child.lines([sys.executable, "-c", script], tmp_path, {})) as lines:
        assert await anext(lines) == "up"
    assert children() == before


async def test_a_process_that_says_more_than_anybody_reads_is_ended(tmp_path: Path) -> None:
    before = children()
    async with aclosing(child.lines(["yes", "\x1b[1mno\x1b[0m"], tmp_path, {})) as lines:
        assert await anext(lines) == "no"
    assert children() == before
    for seconds in (None, 60):
        script = "cat; yes | head -c 300000; echo oops >&2; exit 3"
        code, out, err = await child.output(["sh", "-c", script], tmp_path, {}, limit=1000, seconds=seconds)
        assert (code, len(out), err) == (3, 1000, "oops\n")
    assert children() == before


async def test_a_question_has_a_time_limit(tmp_path: Path) -> None:
    before = children()
    with pytest.raises(TimeoutError):
        script = "trap '' INT TERM; while :; do :; done"
        await child.output(["sh", "-c", script], tmp_path, {}, limit=1000, seconds=0.5)
    assert children() == before


async def test_a_question_ends_with_who_asked_it(tmp_path: Path) -> None:
    asking = await asyncio.create_subprocess_exec(sys.executable, "-c", ASKING, str(tmp_path))
    async with asyncio.timeout(60):
        while not (asked := tmp_path / "asked").is_file() or not asked.read_text().endswith("\n"):  # noqa: ASYNC110
            await asyncio.sleep(0.02)
        group = int(asked.read_text())
        assert os.getpgid(group) == group != os.getpgrp()
        asking.send_signal(signal.SIGKILL)
        await asking.wait()
        while any(os.getpgid(one.pid) == group for one in psutil.process_iter() if is_alive(one)):  # noqa: ASYNC110
            await asyncio.sleep(0.02)


def is_alive(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE and os.getpgid(process.pid) > 0
    except (psutil.NoSuchProcess, ProcessLookupError):
        return False
