"""The command as a script sees it: messages, exit codes, JSON; most of it without any engine."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.real.deck import SPARKDECK
from tui.engine.interface import Replica, State
from tui.jobs.journal import journal_file, write_down
from tui.jobs.submit import run_of
from tui.jobs.verdict import verdict
from tui.stack.catalogue import find_stack

COMPOSE = "services:\n  web:\n    image: debian:bookworm-slim\n    command: [sleep, infinity]\n"
LAYOUT = "name: mine\ntitle: Mine\nservices:\n  web: {role: app}\n"


def sparkdeck(*args: str, cwd: Path, **env: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [str(SPARKDECK), *args],
        capture_output=True,
        text=True,
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        env={**os.environ, **env},
        timeout=120,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    """A project of the user's own with a layout beside it."""
    (tmp_path / "compose.yaml").write_text(COMPOSE)
    (tmp_path / "sparkdeck.yaml").write_text(LAYOUT)
    return tmp_path


def test_a_folder_that_is_gone_is_told(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    done = subprocess.run(
        ["sh", "-c", 'rmdir "$0"; exec "$1" status', gone, SPARKDECK], capture_output=True, text=True, cwd=gone
    )
    assert done.returncode == 2 and "is gone" in done.stderr and "Traceback" not in done.stderr


def test_no_engine_is_said_with_what_was_tried_and_what_to_do(mine: Path) -> None:
    done = sparkdeck("status", cwd=mine, DOCKER_HOST=f"unix://{mine}/nothing.sock")
    assert done.returncode == 3
    assert f"{mine}/nothing.sock" in done.stderr
    assert done.stderr.startswith("error: ")


def test_without_the_docker_command(mine: Path) -> None:
    done = sparkdeck("status", cwd=mine, PATH=str(Path(sys.executable).parent))
    assert done.returncode == 3
    assert "docker" in done.stderr


def test_an_unknown_stack_names_the_known_ones(tmp_path: Path) -> None:
    done = sparkdeck("--stack", "flight-dely", "status", cwd=tmp_path)
    assert done.returncode == 2
    assert "flight-delay" in done.stderr
    assert "spark-cluster" in done.stderr


def test_a_mistake_in_a_layout_names_file_line_and_what_is_allowed(mine: Path) -> None:
    (mine / "sparkdeck.yaml").write_text(LAYOUT.replace("role: app", "role: spark-mastr"))
    done = sparkdeck("status", cwd=mine)
    assert done.returncode == 2
    assert "sparkdeck.yaml:4" in done.stderr
    assert "spark-master" in done.stderr


def test_init_refuses_a_folder_that_holds_something(mine: Path) -> None:
    done = sparkdeck("--stack", "spark-cluster", "init", str(mine), cwd=mine)
    assert done.returncode == 2
    assert str(mine) in done.stderr
    assert (mine / "compose.yaml").read_text() == COMPOSE


def test_a_copied_stack_is_the_stack_of_its_folder(tmp_path: Path) -> None:
    assert sparkdeck("--stack", "spark-cluster", "init", "mine", cwd=tmp_path).returncode == 0
    names = [path.name for path in (tmp_path / "mine").iterdir()]
    assert "work" not in names
    assert ".env" not in names
    assert "sparkdeck.yaml" in names


def test_stacks_for_scripts(tmp_path: Path) -> None:
    found = json.loads(sparkdeck("stacks", "--json", cwd=tmp_path).stdout)
    assert {"flight-delay", "spark-cluster"} <= {stack["name"] for stack in found}


def test_the_command_line_does_not_load_textual(tmp_path: Path) -> None:
    script = "import sys, tui.cli.main; sys.exit('textual' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], cwd=tmp_path).returncode == 0


def test_completion_knows_verbs_and_stacks(tmp_path: Path) -> None:
    def complete(words: str) -> str:
        count = str(len(words.split(" ")) - 1)
        return sparkdeck(cwd=tmp_path, _SPARKDECK_COMPLETE="complete_bash", COMP_WORDS=words, COMP_CWORD=count).stdout

    assert "spark-shell" in complete("sparkdeck spa")
    assert "spark-cluster" in complete("sparkdeck --stack sp")
    assert "flight-delay-jar" in complete("sparkdeck submit fl")
    assert "jupyter" in complete("sparkdeck open ju")


@pytest.mark.engine
def test_any_compose_project_works_without_a_layout(tmp_path: Path) -> None:
    project = tmp_path / f"any{os.getpid()}"
    project.mkdir()
    (project / "compose.yaml").write_text(COMPOSE)
    try:
        assert sparkdeck("up", cwd=project).returncode == 0
        (row,) = json.loads(sparkdeck("status", "--json", cwd=project).stdout)["services"]
        assert (row["service"], row["state"]) == ("web", "running")
        assert sparkdeck("shell", "web", "--", "echo", "hello", cwd=project).stdout.strip() == "hello"
        refused = sparkdeck("scale", "3", cwd=project)
        assert refused.returncode == 2
        assert "scale" in refused.stderr
        unknown = sparkdeck("restart", "wbe", cwd=project)
        assert unknown.returncode == 2
        assert "web" in unknown.stderr
    finally:
        sparkdeck("cleanup", "--yes", cwd=project)
    assert json.loads(sparkdeck("cleanup", "--json", cwd=project).stdout) == []


@pytest.mark.engine
def test_cleanup_leaves_mounted_folders_unless_told(tmp_path: Path) -> None:
    project = tmp_path / f"mounts{os.getpid()}"
    project.mkdir()
    (project / "compose.yaml").write_text(
        COMPOSE + "    volumes: ['./work/data:/data', './src:/src', './work/lib:/lib/x:ro']\n"
    )
    sources = [project / "src" / "app.py", project / "work" / "lib" / "lib.py"]
    for source in sources:
        source.parent.mkdir(parents=True)
        source.write_text("# somebody's work")
    try:
        assert sparkdeck("up", cwd=project).returncode == 0
        precious = project / "work" / "data" / "precious.txt"
        precious.write_text("42")
        kept = sparkdeck("cleanup", "--yes", cwd=project)
        assert f"kept: {precious.parent} (2 B)" in kept.stderr
        assert precious.read_text() == "42"
        assert sparkdeck("cleanup", "--folders", cwd=project).returncode == 2, "nobody can be asked"
        assert precious.exists()
        told = sparkdeck("cleanup", "--folders", "--yes", cwd=project)
        assert str(precious.parent) in told.stdout
        assert not precious.exists()
        assert precious.parent.is_dir()
        assert all(source.is_file() for source in sources), "what is not data is never emptied"
    finally:
        sparkdeck("cleanup", "--yes", cwd=project)


@pytest.mark.engine
def test_what_compose_refuses_is_shown_in_its_own_words(mine: Path) -> None:
    (mine / "compose.yaml").write_text(COMPOSE + "    env_file: [missing.env]\n")
    done = sparkdeck("up", cwd=mine)
    assert done.returncode == 1
    assert "missing.env" in done.stderr


@pytest.mark.engine
def test_runs_that_the_engine_has_forgotten(tmp_path: Path) -> None:
    project, state = tmp_path / f"past{os.getpid()}", {"XDG_STATE_HOME": str(tmp_path / "state")}
    project.mkdir()
    (project / "compose.yaml").write_text(COMPOSE)
    home = find_stack(str(project), project)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", state["XDG_STATE_HOME"])
        file = journal_file(home)
        for number, code in (1, 0), (2, 7):
            ended = Replica(
                *("", f"train-{number}", "web", 0, State.ENDED), exit_code=code, labels={"run": f"train-{number}"}
            )
            judged = replace(run_of(ended), job="train", args=("\x1b[2J", "x"), verdict=verdict(code))
            asyncio.run(write_down(home, judged))
    listed = sparkdeck("jobs", cwd=project, **state).stdout
    assert "ok, log gone" in listed and "failed (7), log gone" in listed and "\x1b" not in listed
    rows = json.loads(sparkdeck("jobs", "--json", cwd=project, **state).stdout)
    assert sorted((row["exit_code"], row["has_log"]) for row in rows) == [(0, False), (7, False)]
    assert sparkdeck("jobs", "train-1", cwd=project, **state).returncode == 0
    failed = sparkdeck("jobs", "train-2", cwd=project, **state)
    assert failed.returncode == 7 and verdict(7).text in failed.stderr and "its log went" in failed.stderr
    assert str(file) in sparkdeck("cleanup", "--dry-run", cwd=project, **state).stdout
    assert file.exists()
    sparkdeck("cleanup", "--yes", cwd=project, **state)
    assert not file.exists()
