"""Whether runs can be remembered."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator

from platformdirs import user_state_path

from tui.checks.finding import Finding


def check_history() -> Iterator[Finding]:
    """A state folder that takes nothing: full, read-only. It must be called beside the event loop."""
    folder = user_state_path("sparkdeck") / "runs"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.TemporaryFile(dir=folder) as trial:
            # A full disk takes empty files.
            trial.write(bytes(64 * 1024))
    except OSError as error:
        yield Finding(
            f"The history of runs is not kept: {folder} cannot be written ({error.strerror or error}).",
            "Make room there, or give it to your user; XDG_STATE_HOME names another folder.",
        )
