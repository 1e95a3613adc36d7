"""Two checkouts, and two file sets of one folder, with one project name: nobody acts on the other's unasked."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.test_command import sparkdeck
from tests.engine.docker.conftest import remove_project
from tests.real.hold import until

pytestmark = pytest.mark.engine

SERVICE = "{image: 'debian:bookworm-slim', init: true, command: [sleep, infinity]}"


@pytest.fixture
def two(tmp_path: Path, project_name: str) -> Iterator[tuple[Path, Path]]:
    """Two checkouts of one project; the first one's is up."""
    folders = tmp_path / "first", tmp_path / "second"
    for folder in folders:
        folder.mkdir()
        (folder / "compose.yaml").write_text(f"services: {{web: {SERVICE}}}\n")
        (folder / "other.yml").write_text(f"services: {{other: {SERVICE}}}\n")
        (folder / ".env").write_text(f"COMPOSE_PROJECT_NAME={project_name}\n")
    assert sparkdeck("up", cwd=folders[0]).returncode == 0
    yield folders
    remove_project(project_name)


def there(project: str) -> set[str]:
    command = ["docker", "ps", "--no-trunc", "--filter", f"label=com.docker.compose.project={project}", "-q"]
    return set(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split())


@pytest.mark.parametrize("words", ["down --yes", "cleanup --yes", "up", "stop", "restart web", "up --recreate"])
def test_what_is_another_checkouts_is_not_touched(two: tuple[Path, Path], project_name: str, words: str) -> None:
    first, second = two
    before = there(project_name)
    done = sparkdeck(*words.split(), cwd=second)
    assert done.returncode == 2, done.stderr
    assert f"(web) are not this stack's: they were made from {first / 'compose.yaml'}, not from {second}" in done.stderr
    assert "--project-name" in done.stderr
    assert there(project_name) == before


def test_it_is_told_by_who_only_looks(two: tuple[Path, Path]) -> None:
    first, second = two
    done = sparkdeck("doctor", "--json", cwd=second)
    assert done.returncode == 1 and str(first / "compose.yaml") in json.loads(done.stdout)[0]["what"]
    assert sparkdeck("doctor", "--json", cwd=first).returncode == 0


def test_another_file_set_of_the_same_folder(two: tuple[Path, Path], project_name: str) -> None:
    first, _ = two
    before = there(project_name)
    done = sparkdeck("-f", "other.yml", "down", "--yes", cwd=first)
    assert done.returncode == 2 and f"made from {first / 'compose.yaml'}" in done.stderr
    assert there(project_name) == before
    # One more file is the same stack.
    assert sparkdeck("-f", "compose.yaml", "-f", "other.yml", "up", cwd=first).returncode == 0
    # And so is one whose file has another name now.
    (first / "compose.yaml").rename(first / "compose.yml")
    assert sparkdeck("down", "--yes", cwd=first).returncode == 0
    until("they are gone", lambda: there(project_name) == set())


def test_a_name_of_its_own_lets_it_act(two: tuple[Path, Path], project_name: str) -> None:
    _, second = two
    try:
        assert sparkdeck("-p", f"{project_name}b", "up", cwd=second).returncode == 0
        assert len(there(project_name)) == len(there(f"{project_name}b")) == 1
        assert sparkdeck("-p", f"{project_name}b", "down", "--yes", cwd=second).returncode == 0
        assert there(f"{project_name}b") == set() and len(there(project_name)) == 1
    finally:
        remove_project(f"{project_name}b")
