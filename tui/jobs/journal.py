"""The runs of a stack that its engine has forgotten: `down` takes their replicas and logs along, not their story."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, replace
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

from platformdirs import user_state_path

from tui.engine.interface import Engine, Replica, State
from tui.jobs.submit import Run, find_runs, run_of
from tui.jobs.verdict import Outcome, Verdict
from tui.stack.model import Stack
from tui.stack.secrets import masked_record, masked_words
from tui.stack.wholefile import whole_file

# The newest ones; nobody looks further back.
KEPT = 200
# Characters of one run: with more, it is remembered without its arguments.
LONGEST_RUN = 20_000


def journal_file(stack: Stack) -> Path:
    """Where a stack's past runs are written down: in the user's state folder, apart for every copy of the stack.

    Its folder is its identity: the project's name may change, as when the first start gives it one.
    """
    home = stack.home.resolve()
    copy = hashlib.sha256(str(home).encode()).hexdigest()[:8]
    return user_state_path("sparkdeck") / "runs" / f"{home.name}-{copy}.jsonl"


async def history(engine: Engine, stack: Stack, told: Callable[[str], None] = lambda text: None) -> list[Run]:
    """Every run, newest first: what the engine knows, then what it has forgotten (`is_past`). Raises EngineError.

    Ended runs are written down on the way; `told` hears why that cannot be.
    """
    known = await find_runs(engine)
    past, trouble = await asyncio.to_thread(_remember, journal_file(stack), [run for run in known if run.is_over])
    if trouble:
        told(trouble)
    here, written = {run.id for run in known}, {run.id: run for run in past}
    judged = [replace(run, verdict=written[run.id].verdict) if run.id in written else run for run in known]
    return sorted([*judged, *(run for run in past if run.id not in here)], key=_order, reverse=True)


async def write_down(stack: Stack, run: Run) -> str:
    """Writes down how a run ended that somebody has followed; why it cannot be, or nothing."""
    return (await asyncio.to_thread(_remember, journal_file(stack), [run]))[1]


def _trouble(file: Path, error: OSError) -> str:
    return f"The history of runs is not kept: {file} cannot be written ({error.strerror or error})."


def _remember(file: Path, ended: Iterable[Run]) -> tuple[list[Run], str]:
    """Adds runs to a journal: all of it, newest first, and why it could not be written."""
    try:
        with _held(file.parent):
            # Those of before the folder was a stack's identity.
            others = [other for other in file.parent.glob(f"*{file.name[-15:]}") if other != file]
            ended = [*ended, *(run for other in others for run in _read(other).values())]
            runs = _read(file)
            new = {
                one.id: one for one in ended if one.id not in runs or one.verdict not in (None, runs[one.id].verdict)
            }
            kept = sorted({**runs, **new}.values(), key=_order, reverse=True)[:KEPT]
            if new or others:
                with whole_file(file) as made:
                    made.writelines(f"{_line(run)}\n" for run in kept)
                for other in others:
                    other.unlink()
            return kept, ""
    except OSError as error:
        runs = {run.id: run for run in ended}
        with contextlib.suppress(OSError):
            runs |= _read(file)
        return sorted(runs.values(), key=_order, reverse=True), _trouble(file, error)


@contextlib.contextmanager
def _held(folder: Path) -> Iterator[None]:
    """The journals' folder, for one at a time who reads, adds and writes: deck or command line. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _order(run: Run) -> tuple[bool, float]:
    return run.submitted_at is not None, run.submitted_at.timestamp() if run.submitted_at else 0.0


def _read(file: Path) -> dict[str, Run]:
    """The runs of a journal, the newest first; what cannot be understood is left out. Raises OSError."""
    found: dict[str, Run] = {}
    if not file.exists():
        return found
    with file.open(encoding="utf-8", errors="replace") as journal:
        for line in islice(iter(lambda: journal.readline(4 * LONGEST_RUN), ""), 10 * KEPT):
            with contextlib.suppress(ValueError, TypeError, KeyError, AttributeError, RecursionError):
                run = _past(json.loads(line))
                found.setdefault(run.id, run)
    return found


def _line(run: Run) -> str:
    line = json.dumps(_record(run))
    if len(line) <= LONGEST_RUN:
        return line
    verdict = replace(run.verdict, reason=None) if run.verdict else None
    bare = replace(run, args=(), env={}, conf={}, verdict=verdict, replica=replace(run.replica, command=()))
    return json.dumps(_record(bare))


def _record(run: Run) -> dict[str, Any]:
    replica = run.replica
    return {
        "run": run.id,
        "job": run.job,
        "labels": {name: replica.labels[name] for name in ("kind", "app", "class") if name in replica.labels},
        "conf": masked_record(run.conf),
        "args": masked_words(run.args),
        "env": masked_record(run.env),
        "submitted": _text(run.submitted_at),
        "verdict": masked_record(asdict(run.verdict)) if run.verdict else None,
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
    more = {str(name): str(text) for name, text in record.get("labels", {}).items()}
    labels = {**more, "run": str(record["run"]), "job": str(record["job"])}
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
        conf={str(name): str(value) for name, value in record.get("conf", {}).items()},
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
