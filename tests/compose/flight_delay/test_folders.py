"""The folders of the services: as containers have them, or where the environment says that they are."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

JOBS = Path(__file__).parents[3] / "compose" / "flight-delay" / "jobs"


def folders_of(script: str, tmp_path: Path, **environment: str) -> str:
    """What a script says of its defaults."""
    done = subprocess.run(
        [sys.executable, str(JOBS / script), "--help"],
        env={"PATH": "/usr/bin:/bin", "COLUMNS": "200", **environment},
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(
    ("script", "usual", "moved"),
    [
        ("generate.py", ["[/data/sample]"], ["[/d 100%/sample]"]),
        ("build_jar.py", ["[/apps/flight-delay.jar]"], ["[/a/flight-delay.jar]"]),
        ("flight_delay.py", ["[/data]", "[/output/flight-delay]"], ["[/d 100%]", "[/o/flight-delay]"]),
    ],
)
def test_folders_are_where_the_environment_says(
    script: str, usual: list[str], moved: list[str], tmp_path: Path
) -> None:
    elsewhere = {"DATA_DIR": "/d 100%", "OUTPUT_DIR": "/o", "APPS_DIR": "/a"}
    as_containers = folders_of(script, tmp_path)
    assert all(folder in as_containers for folder in usual), as_containers
    assert folders_of(script, tmp_path, **dict.fromkeys(elsewhere, "")) == as_containers, "empty is not set"
    as_processes = folders_of(script, tmp_path, **elsewhere)
    assert all(folder in as_processes for folder in moved), as_processes
