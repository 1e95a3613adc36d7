"""The bundled stacks as docker compose resolves them now."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tui.stack.catalogue import bundled_stacks, copy_out, find_stack
from tui.stack.environment import prepare_environment, project_name
from tui.stack.layout import check_against
from tui.stack.model import Project, Stack
from tui.stack.project import parse_project
from tui.stack.roles import detect_layout

pytestmark = pytest.mark.engine


def resolve(stack: Stack) -> Project:
    """What a plain `docker compose` with a stack's files sees, profiles included."""
    if shutil.which("docker") is None:
        pytest.skip("there is no docker command here")
    files = [word for file in stack.files for word in ("-f", str(file))]
    command = ["docker", "compose", *files, "--profile", "*", "config", "--format", "json"]
    done = subprocess.run(command, cwd=stack.folder, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return parse_project(done.stdout)


@pytest.mark.parametrize("stack", bundled_stacks(), ids=lambda stack: stack.name)
def test_a_copy_of_a_bundled_stack_fits_its_layout(
    stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("COMPOSE_PROJECT_NAME", "COMPOSE_FILE", "HOST_UID", "HOST_GID", "WORK_DIR"):
        monkeypatch.delenv(name, raising=False)
    assert stack.layout
    copy_out(stack, tmp_path / "copy")
    copy = find_stack(str(tmp_path / "copy"), tmp_path)
    prepare_environment(copy, (4321, 8765))
    project = resolve(copy)
    assert project.name == project_name(copy)
    assert check_against(stack.layout, project) == []
    detected = detect_layout(project)
    for service in project.services:
        assert detected.service(service).role is stack.layout.service(service).role, service
    for port in (port for service in project.services.values() for port in service.ports):
        assert port.host == "127.0.0.1"
