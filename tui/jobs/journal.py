"""The runs of a stack that its engine has forgotten: `down` takes their replicas and logs along, not their story."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from platformdirs import user_state_path

from tui.engine.interface import Engine, EngineError, Replica, State
from tui.jobs.submit import Run, find_runs, run_of
from tui.jobs.verdict import Outcome, Verdict
from tui.stack.model import Project, Stack
from tui.stack.secrets import masked, masked_words
from tui.stack.wholefile import whole_file

# The newest ones; nobody looks further back.
KEPT = 200
LONGEST = 4 * 1024 * 1024
# Of one run: with more, it is remembered without its arguments.
LONGEST_RUN = LONGEST // KEPT - 1024


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
    here, written = {run.id for run in known}, {run.id: run for run in past}
    judged = [replace(run, verdict=written[run.id].verdict) if run.id in written else run for run in known]
    both = [*judged, *(run for run in past if run.id not in here)]
    return sorted(both, key=lambda run: (run.submitted_at is not None, run.submitted_at), reverse=True)


async def remember(engine: Engine, stack: Stack, project: Project) -> None:
    """Writes the ended runs down before they are removed; what cannot be written is not worth a failure."""
    with contextlib.suppress(EngineError, OSError):
        await history(engine, stack, project)


async def write_down(stack: Stack, project: Project, run: Run) -> None:
    """Writes down how a run ended that somebody has followed."""
    await asyncio.to_thread(_remember, journal_file(stack, project), [run])


def _remember(file: Path, ended: Iterable[Run]) -> list[Run]:
    """Adds runs to a journal; all of it, newest first."""
    runs = _read(file)
    new = {run.id: run for run in ended if run.id not in runs or run.verdict not in (None, runs[run.id].verdict)}
    if new:
        runs = dict(sorted({**runs, **new}.items(), key=lambda item: _order(item[1]), reverse=True)[:KEPT])
        with contextlib.suppress(OSError):
            _write(file, "".join(f"{_line(run)}\n" for run in runs.values()))
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
        with contextlib.suppress(ValueError, TypeError, KeyError, AttributeError, RecursionError):
            run = _past(json.loads(line))
            found[run.id] = run
    return found


def _line(run: Run) -> str:
    line = json.dumps(_record(run))
    if len(line) <= LONGEST_RUN:
        return line
    verdict = replace(run.verdict, reason=None) if run.verdict else None
    bare = replace(run, args=(), env={}, verdict=verdict, replica=replace(run.replica, command=()))
    return json.dumps(_record(bare))


def _record(run: Run) -> dict[str, Any]:
    replica = run.replica
    return {
        "run": run.id,
        "job": run.job,
        "args": masked_words(run.args),
        "env": {name: masked(name, value) for name, value in run.env.items()},
        "submitted": _text(run.submitted_at),
        "verdict": asdict(run.verdict) if run.verdict else None,
        "name": replica.name,
        "service": replica.service,
        "command": masked_words(replica.command),
        "created": _text(replica.created_at),
        "started": _text(replica.started_at),
        "ended": _text(replica.ended_at),
        "exit_code": replica.exit_code,
        "out_of_memory": replica.out_of_memory,
    }


def _past(record: dict[str, Any]) -> Run:
    code, verdict = record["exit_code"], record["verdict"]
    labels = {"run": str(record["run"]), "job": str(record["job"])}
    replica = Replica(
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
        labels=labels,
    )
    return replace(
        run_of(replica),
        args=tuple(map(str, record["args"])),
        env={str(name): str(value) for name, value in record["env"].items()},
        submitted_at=_moment(record["submitted"]),
        verdict=_verdict(verdict) if verdict else None,
    )


def _verdict(record: dict[str, Any]) -> Verdict:
    reason, hint = record["reason"], record["hint"]
    return Verdict(
        Outcome(record["outcome"]), str(record["text"]), str(reason) if reason else None, str(hint) if hint else None
    )


def _text(at: datetime | None) -> str | None:
    return at.isoformat() if at else None


def _moment(text: Any) -> datetime | None:
    at = datetime.fromisoformat(text) if isinstance(text, str) else None
    return at if at is None or at.tzinfo else at.astimezone()


def _write(file: Path, text: str) -> None:
    """Writes a file whole or not at all, for its owner only. Raises OSError."""
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with whole_file(file) as made:
        made.write(text)
