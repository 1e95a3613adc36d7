"""What was once found out about a replica and need not be asked again, also by the next command: its health path."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

from platformdirs import user_state_path

from tui.stack.wholefile import whole_file

# Replicas that are remembered; of more the oldest go.
MOST = 500


def learned(replica_id: str) -> str | None:
    """What is known of a replica; None if nothing is. Reads a file: not for the event loop."""
    found = _read().get(replica_id)
    return found if isinstance(found, str) else None


def learn(replica_id: str, what: str) -> None:
    """Keeps it, where it can be kept. Writes a file: not for the event loop."""
    known = _read()
    known.pop(replica_id, None)
    known[replica_id] = what
    with suppress(OSError):
        _file().parent.mkdir(parents=True, exist_ok=True)
        with whole_file(_file()) as file:
            json.dump(dict(list(known.items())[-MOST:]), file)


def _file() -> Path:
    return user_state_path("sparkdeck") / "learned.json"


def _read() -> dict[str, object]:
    try:
        found = json.loads(_file().read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
