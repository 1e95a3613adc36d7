"""The runs of a stack that its engine has forgotten: `down` takes their replicas and logs along, not their story."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import os
import re
import tempfile
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

from platformdirs import user_state_path

from tui.engine.interface import Engine, EngineError, Replica, State
from tui.jobs.submit import Run, find_runs, run_of
from tui.stack.model import Project, Stack

# The newest ones; nobody looks further back.
KEPT = 200
LONGEST = 4 * 1024 * 1024
_SECRET = re.compile(r"(?i)secret|password|passwd|token|credential|access[._-]?key")


def journal_file(stack: Stack, project: Project) -> Path:
    """Where a stack's past runs are written down: in the user's state folder, apart for every copy of the stack."""
    copy = hashlib.sha256(str(stack.home.resolve()).encode()).hexdigest()[:8]
    return user_state_path("sparkdeck") / "runs" / f"{project.name}-{copy}.jsonl"


async def history(engine: Engine, stack: Stack, project: Project) -> list[Run]:
    """Every run, newest first: what the engine knows, then what it has forgotten (`is_past`). Raises EngineError.

    Ended runs are written down on the way.
    """
    known = await find_runs(engine)
    file = journal_file(stack, project)
    past = await asyncio.to_thread(_remember, file, [run for run in known if run.is_over])
    here = {run.id for run in known}
    both = [*known, *(run for run in past if run.id not in here)]
    return sorted(both, key=lambda run: (run.submitted_at is not None, run.submitted_at), reverse=True)


async def remember(engine: Engine, stack: Stack, project: Project) -> None:
    """Writes the ended runs down before they are removed; what cannot be written is not worth a failure."""
    with contextlib.suppress(EngineError, OSError):
        await history(engine, stack, project)


def _remember(file: Path, ended: Iterable[Run]) -> list[Run]:
    """Adds runs to a journal; all of it, newest first."""
    runs = _read(file)
    new = {run.id: run for run in ended if run.id not in runs}
    if new:
        runs = dict(sorted({**runs, **new}.items(), key=lambda item: _order(item[1]), reverse=True)[:KEPT])
        with contextlib.suppress(OSError):
            _write(file, "".join(f"{json.dumps(_record(run))}\n" for run in runs.values()))
    return list(runs.values())


def _order(run: Run) -> tuple[bool, float]:
    return run.submitted_at is not None, run.submitted_at.timestamp() if run.submitted_at else 0.0


def _read(file: Path) -> dict[str, Run]:
    try:
        if file.stat().st_size > LONGEST:
            return {}
        lines = file.read_text("utf-8", errors="replace").splitlines()
    except OSError:
        return {}
    found = {}
    for line in lines:
        with contextlib.suppress(ValueError, TypeError, KeyError, AttributeError):
            run = _past(json.loads(line))
            found[run.id] = run
    return found


def _record(run: Run) -> dict[str, Any]:
    replica = run.replica
    return {
        "name": replica.name,
        "service": replica.service,
        "labels": dict(replica.labels),
        "command": _without_secrets(replica.command),
        "created": _text(replica.created_at),
        "started": _text(replica.started_at),
        "ended": _text(replica.ended_at),
        "exit_code": replica.exit_code,
        "out_of_memory": replica.out_of_memory,
    }


def _past(record: dict[str, Any]) -> Run:
    code = record["exit_code"]
    return run_of(
        Replica(
            id="",
            name=str(record["name"]),
            service=str(record["service"]),
            number=0,
            state=State.ENDED,
            exit_code=code if isinstance(code, int) else None,
            out_of_memory=record["out_of_memory"] is True,
            created_at=_moment(record["created"]),
            started_at=_moment(record["started"]),
            ended_at=_moment(record["ended"]),
            command=tuple(map(str, record["command"])),
            labels={str(key): str(value) for key, value in record["labels"].items()},
        )
    )


def _without_secrets(command: Iterable[str]) -> list[str]:
    """A command line without settings whose names tell of a secret: they must be given again."""
    kept: list[str] = []
    for word in command:
        name, sign, _ = word.partition("=")
        if sign and _SECRET.search(name):
            if kept and kept[-1] == "--conf":
                kept.pop()
            continue
        kept.append(word)
    return kept


def _text(at: datetime | None) -> str | None:
    return at.isoformat() if at else None


def _moment(text: Any) -> datetime | None:
    at = datetime.fromisoformat(text) if isinstance(text, str) else None
    return at if at is None or at.tzinfo else at.astimezone()


def _write(file: Path, text: str) -> None:
    """Writes a file whole or not at all, for its owner only. Raises OSError."""
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as made:
            made.write(text)
        Path(name).replace(file)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
