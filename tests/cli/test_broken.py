"""Files that cannot be read any more must not keep anybody from seeing and ending what runs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.test_command import sparkdeck
from tests.engine.docker.conftest import remove_project

pytestmark = pytest.mark.engine

COMPOSE = """
services:
  web: {image: 'debian:bookworm-slim', init: true, command: [bash, -c, 'echo hello from web; sleep infinity']}
  db: {image: 'debian:bookworm-slim', init: true, command: [sleep, infinity]}
"""
LAYOUT = "name: shop\ntitle: Shop\nservices:\n  web: {role: app}\n"

BROKEN = {
    "YAML": ("compose.yaml", "services: [\n", "compose.yaml"),
    "compose": ("compose.yaml", COMPOSE + "  web2: {imagee: x}\n", "imagee"),
    "variable": ("compose.yaml", COMPOSE.replace("hello", "${WORD:?a word}"), "WORD"),
    "layout": ("sparkdeck.yaml", LAYOUT.replace("app", "ap"), "'ap' is not allowed"),
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A stack that is up, once for all ways to break its files."""
    folder = tmp_path_factory.mktemp("broken")
    name = f"sdbroken{folder.stat().st_ino}"
    (folder / "compose.yaml").write_text(COMPOSE)
    (folder / "sparkdeck.yaml").write_text(LAYOUT)
    (folder / ".env").write_text(f"COMPOSE_PROJECT_NAME={name}\n")
    assert sparkdeck("up", cwd=folder).returncode == 0
    yield folder
    remove_project(name)


def states(folder: Path) -> dict[str, Any]:
    done = sparkdeck("status", "--json", cwd=folder)
    return {row["service"]: row["state"] for row in json.loads(done.stdout)["services"]}


@pytest.mark.parametrize("case", BROKEN)
def test_what_runs_can_be_seen_stopped_and_started(runs: Path, case: str) -> None:
    name, text, said = BROKEN[case]
    whole = (runs / name).read_text()
    (runs / name).write_text(text)
    try:
        seen = sparkdeck("status", cwd=runs)
        assert seen.returncode == 0, seen.stderr
        assert said in seen.stderr and "Until that is mended, this is what runs of it." in seen.stderr
        assert states(runs) == {"web": "running", "db": "running"}
        assert "hello from web" in sparkdeck("logs", "web", cwd=runs).stdout
        assert sparkdeck("stop", "db", cwd=runs).returncode == 0
        assert states(runs) == {"web": "running", "db": "ended"}
        # What would start must be read.
        refused = sparkdeck("up", cwd=runs)
        assert refused.returncode in (1, 2) and said in refused.stderr
    finally:
        (runs / name).write_text(whole)
    assert sparkdeck("up", cwd=runs).returncode == 0
    assert "mended" not in sparkdeck("status", cwd=runs).stderr


def test_it_can_be_taken_down(tmp_path: Path, project_name: str) -> None:
    (tmp_path / "compose.yaml").write_text(f"name: {project_name}\n{COMPOSE}")
    try:
        assert sparkdeck("up", cwd=tmp_path).returncode == 0
        (tmp_path / "compose.yaml").write_text(f"name: {project_name}\nservices: [\n")
        done = sparkdeck("down", "--yes", cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        # Nothing is left, so that only the file is to be told of.
        gone = sparkdeck("status", cwd=tmp_path)
        assert gone.returncode in (1, 2) and "compose.yaml" in gone.stderr and "mended" not in gone.stderr
    finally:
        remove_project(project_name)
