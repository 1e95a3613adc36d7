"""A stack's private folder: what is known of its processes, written whole or not at all. Stdlib only.

FOLDER/lock               held by whoever changes the stack
FOLDER/ports.json         which ports were allotted
FOLDER/volumes/NAME/      named volumes
FOLDER/replicas/events    what happened, a JSON line each
FOLDER/replicas/NAME/     spec.json (what to run), state.json (how it is), stop.json (how to stop), log, log.1, ...
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

EVENTS_LIMIT = 1024 * 1024
RUNNING, RESTARTING, ENDED, CREATED = "running", "restarting", "ended", "created"


def write_json(file: Path, value: Mapping[str, Any]) -> None:
    """Writes a file for its owner only. Raises OSError; the file is the old one then."""
    temporary = file.with_name(f".{file.name}.{os.getpid()}.{time.monotonic_ns()}")
    try:
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as made:
            json.dump(value, made)
            made.flush()
            os.fsync(made.fileno())
        temporary.replace(file)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise


def read_json(file: Path) -> dict[str, Any] | None:
    """What a file holds; None if it is not there or is not ours to understand."""
    try:
        found = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def tell(folder: Path, kind: str, service: str, replica_id: str, detail: str = "") -> None:
    """Appends an event. What cannot be told (a full disk) is seen in the state all the same."""
    file = folder / "replicas" / "events"
    entry = {"at": time.time(), "kind": kind, "service": service, "id": replica_id, "detail": detail}
    with suppress(OSError):
        if file.exists() and file.stat().st_size > EVENTS_LIMIT:
            file.replace(file.with_name("events.1"))
        handle = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(handle, f"{json.dumps(entry)}\n".encode())
        finally:
            os.close(handle)


def overwrite_json(file: Path, value: Mapping[str, Any]) -> None:
    """For a full disk: writes into the room that a small file has already, at once. Raises OSError."""
    handle = os.open(file, os.O_WRONLY)
    try:
        text = json.dumps(value).encode()
        os.pwrite(handle, text.ljust(os.fstat(handle).st_size), 0)
        os.fsync(handle)
    finally:
        os.close(handle)


def take(handle: int) -> bool:
    """Takes the lock of an open file or folder; whether it was free. The system gives it back with the process."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def locked(folder: Path) -> Iterator[int | None]:
    """Takes a folder's lock: its open file, or None if it is not free."""
    file = folder / "lock"
    while True:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            free = take(handle)
            with suppress(FileNotFoundError):
                # Else it was removed with its folder in between: the lock that counts is another.
                if os.path.samestat(os.fstat(handle), file.stat()):
                    yield handle if free else None
                    return
        finally:
            os.close(handle)
