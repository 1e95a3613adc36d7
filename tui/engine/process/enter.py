"""Becomes a command with a replica's environment: `python -m ...enter SPEC [NAME=VALUE ...] -- COMMAND`.

The environment holds secrets: it is read from the replica's own file and does not stand in an argument list.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path


def main() -> None:
    """Never returns."""
    at = sys.argv.index("--")
    spec = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    environment = {**spec["environment"], "TERM": os.environ.get("TERM", "dumb")}
    environment |= dict(pair.split("=", 1) for pair in sys.argv[2:at])
    os.chdir(spec["folder"])
    command = sys.argv[at + 1 :]
    try:
        os.execvpe(command[0], command, environment)
    except OSError as error:
        sys.exit(f"{command[0]} cannot be started: {error.strerror}")


if __name__ == "__main__":
    main()
