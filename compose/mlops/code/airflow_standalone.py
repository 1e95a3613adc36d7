"""`airflow standalone` with three differences: `python -m airflow_standalone`.

Its login is made here: Airflow would print the password into its log and let everybody read the file.
Its tasks' logs are read from their folder: Airflow would serve them on every address of the machine.
It ends its parts in order on SIGTERM too, not on SIGINT alone.
"""

import json
import os
import secrets
import signal
import sys
from pathlib import Path
from typing import Any, NoReturn

PASSWORDS = "simple_auth_manager_passwords.json.generated"


def make_login(home: Path) -> None:
    """Writes the file of Airflow's simple auth manager with a password for `admin`, unless there is one."""
    home.mkdir(parents=True, exist_ok=True)
    path = home / PASSWORDS
    if not path.exists():
        half = path.with_suffix(".part")
        half.unlink(missing_ok=True)
        descriptor = os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            json.dump({"admin": secrets.token_urlsafe(16)}, file)
        half.replace(path)


def main() -> None:
    """Runs until it is stopped."""
    make_login(Path(os.environ["AIRFLOW_HOME"]))
    from airflow.__main__ import main as airflow
    from airflow.cli.commands import standalone_command

    class Part(standalone_command.SubCommand):  # type: ignore[misc]
        def __init__(self, parent: Any, name: str, command: list[str], env: dict[str, str]) -> None:
            quiet = ["--skip-serve-logs"] if name in ("scheduler", "triggerer") else []
            super().__init__(parent, name, [*command, *quiet], env)

    def stop(*_: object) -> NoReturn:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, stop)
    standalone_command.SubCommand = Part
    sys.argv = ["airflow", "standalone"]
    airflow()


if __name__ == "__main__":
    main()
