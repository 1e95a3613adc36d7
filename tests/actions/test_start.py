"""Starting: what is refused, and that a refusal changes nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.actions.conftest import said
from tests.scripted_engine import ScriptedEngine
from tui.actions.start import Refused, start
from tui.stack.model import Mount, Port, Project, Service, Stack
from tui.stack.roles import detect_layout


def stack_of(project: Project, folder: Path) -> Stack:
    file = folder / "compose.yaml"
    file.write_text("services: {}\n")
    return Stack(project.name, folder, (file,), folder, layout=detect_layout(project))


async def begin(project: Project, folder: Path, *services: str) -> ScriptedEngine:
    engine = ScriptedEngine(project)
    await said(start(engine, stack_of(project, folder), services, wait=False))
    return engine


@pytest.mark.parametrize("obstacle", [{"container_name": "one"}, {"ports": (Port(8081, 8081, "127.0.0.1"),)}])
async def test_a_detected_worker_that_cannot_be_scaled_is_started(tmp_path: Path, obstacle: dict[str, object]) -> None:
    command = ("spark-class", "org.apache.spark.deploy.worker.Worker", "spark://master:7077")
    project = Project("p", {"worker": Service("worker", command=command, **obstacle)})  # type: ignore[arg-type]
    stack = stack_of(project, tmp_path)
    assert stack.layout.scale is not None, "the worker is seen as one"
    engine = await begin(project, tmp_path)
    assert "up" in [name for name, _ in engine.actions]


async def test_where_all_is_behind_profiles_the_services_are_named(tmp_path: Path) -> None:
    project = Project("p", {name: Service(name, profiles=("tools",)) for name in ("web", "db")})
    with pytest.raises(Refused, match=r"behind a profile: web \(tools\), db \(tools\)\. Choose one: "):
        await begin(project, tmp_path)
    engine = await begin(project, tmp_path, "web")
    assert [arguments for name, arguments in engine.actions if name == "up"] == [(("web",), False)]


async def test_a_refusal_leaves_no_folder_behind(tmp_path: Path) -> None:
    mounted = Service("web", mounts=(Mount("bind", str(tmp_path / "data"), "/data"),))
    project = Project("p", {"web": mounted})
    with pytest.raises(Refused, match="has no service 'other'"):
        await begin(project, tmp_path, "other")
    assert not (tmp_path / "data").exists()
    await begin(project, tmp_path)
    assert (tmp_path / "data").is_dir()
