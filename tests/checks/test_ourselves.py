"""What failed of SparkDeck itself, now and lately."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tui.checks.ourselves import check_ourselves, check_written
from tui.watch.supervise import Failure, Supervisor, failure_file


async def test_failures_name_the_file_and_old_ones_are_told_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert check_written() == []
    supervisor = Supervisor()
    await supervisor.note("the links", KeyError("web"))
    await supervisor.note("the links", KeyError("db"))
    (finding,) = check_written()
    assert finding.what.endswith("the links: KeyError: 'db'") and str(failure_file()) in finding.remedy
    (now,) = check_ourselves(supervisor.failures.values())
    assert now.what == "A part of SparkDeck failed: the links: KeyError: 'db'" and str(failure_file()) in now.remedy
    old = datetime.now(UTC) - timedelta(days=3)
    failure_file().write_text(f"== {old.isoformat()}\tthe links\tKeyError: 'web'\nTraceback\n== torn")
    assert check_written() == []
    assert check_ourselves([Failure(old, "the links", "x")]) != []
