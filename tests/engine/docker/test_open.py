"""Which engine and which settings are taken, and what is said when there is no engine."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tui.engine.choose import open_engine
from tui.engine.interface import EngineGone
from tui.stack.model import Stack

pytestmark = [
    pytest.mark.engine,
    pytest.mark.filterwarnings("error::ResourceWarning"),
    pytest.mark.filterwarnings("error::pytest.PytestUnraisableExceptionWarning"),
]


async def test_settings_of_a_home_elsewhere(tmp_path: Path, project_name: str) -> None:
    folder, home = tmp_path / "bundle", tmp_path / "home"
    folder.mkdir()
    home.mkdir()
    file = folder / "compose.yaml"
    file.write_text("services: {a: {image: x, volumes: ['${WORK_DIR:-./work}/data:/data', './jobs:/jobs']}}")
    engine = await open_engine(Stack("test", folder, (file,), home))
    try:
        assert (await engine.project()).name == "bundle"
        (home / ".env").write_text(f"COMPOSE_PROJECT_NAME={project_name}\nWORK_DIR={home}/work\n")
        project = await engine.project()
        assert project.name == project_name
        assert project.host_path("a", "/data/x.csv") == home / "work/data/x.csv"
        assert project.host_path("a", "/jobs/y") == folder / "jobs/y"
        assert await engine.owner() == (os.getuid(), os.getgid())
    finally:
        await engine.close()


async def test_no_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stack = Stack("test", tmp_path, (tmp_path / "compose.yaml",), tmp_path)
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    with pytest.raises(EngineGone, match=r"none\.sock \(context default\).*Start Docker Desktop"):
        await open_engine(stack)
    monkeypatch.setenv("DOCKER_HOST", "ssh://nobody@localhost")
    with pytest.raises(EngineGone, match=r"ssh://nobody@localhost"):
        await open_engine(stack)
    monkeypatch.delenv("DOCKER_HOST")
    monkeypatch.setenv("DOCKER_CONTEXT", "no-such-context")
    with pytest.raises(EngineGone, match="no-such-context"):
        await open_engine(stack)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EngineGone, match="no command `docker`"):
        await open_engine(stack)
