"""Services that end, and nobody awaits them: work that is done, what fails at once, what ends again and again."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.test_command import sparkdeck
from tests.engine.docker.conftest import remove_project
from tests.real.hold import until

pytestmark = pytest.mark.engine


@pytest.fixture
def folder(tmp_path: Path, project_name: str) -> Iterator[Path]:
    (tmp_path / ".env").write_text(f"COMPOSE_PROJECT_NAME={project_name}\n")
    yield tmp_path
    remove_project(project_name)


def service(command: str, more: str = "") -> str:
    return f"{{image: 'debian:bookworm-slim', init: true, command: [bash, -c, {json.dumps(command)}]{more}}}"


def rows(folder: Path, code: int) -> dict[str, Any]:
    done = sparkdeck("status", "--json", cwd=folder)
    assert done.returncode == code, done.stdout + done.stderr
    return {row["service"]: row for row in json.loads(done.stdout)["services"]}


def test_work_that_nobody_awaits_is_done_and_the_rest_runs(folder: Path) -> None:
    (folder / "compose.yaml").write_text(
        f"services:\n  load: {service('echo loaded')}\n  slow: {service('sleep 2')}\n  api: {service('sleep 99')}\n"
    )
    done = sparkdeck("up", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert re.search(r"✓ load +done", done.stderr) and re.search(r"✓ api +running", done.stderr), done.stderr
    until("slow is done", lambda: sparkdeck("status", cwd=folder).stdout.count("done") == 2)
    assert {name: (row["state"], row["well"]) for name, row in rows(folder, 0).items()} == {
        **dict.fromkeys(("load", "slow"), ("done", True)),
        "api": ("running", True),
    }


def test_what_fails_at_once_fails_the_start_with_the_end_of_its_log(folder: Path) -> None:
    (folder / "compose.yaml").write_text(
        f"services:\n  api: {service('sleep 0.3; echo no such database >&2; exit 1')}\n  web: {service('sleep 99')}\n"
    )
    done = sparkdeck("up", cwd=folder)
    assert done.returncode == 4, done.stderr
    assert "api: ended (exit code 1)" in done.stderr and "no such database" in done.stderr
    assert not re.search(r"✓ api", done.stderr), "it never was up"
    assert rows(folder, 1)["api"]["state"] == "ended"


def test_what_ends_again_and_again_is_called_so(folder: Path) -> None:
    loop = service("echo cannot connect; exit 7", ", restart: always")
    (folder / "compose.yaml").write_text(f"services:\n  api: {loop}\n")
    done = sparkdeck("up", "--timeout", "3", cwd=folder)
    assert done.returncode == 4, done.stderr
    assert re.search(r"api: restarting; it ends again and again", done.stderr), done.stderr
    assert "cannot connect" in done.stderr
    until("it has ended often enough", lambda: rows(folder, 1)["api"]["restarts"] >= 3)
    # In whichever moment it is looked at.
    for _ in range(4):
        row = rows(folder, 1)["api"]
        assert (row["state"], row["well"]) == ("restarting", False) and "again and again" in row["why"]
