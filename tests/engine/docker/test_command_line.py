"""Docker's command lines, and what looking at a stack loads."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tui.engine.docker.api import Endpoint
from tui.engine.docker.compose import Compose
from tui.stack.model import Stack

pytestmark = pytest.mark.engine


@pytest.mark.parametrize("with_settings", [False, True])
@pytest.mark.parametrize(
    ("context", "engine"), [("default", ["--host", "unix:///some.sock"]), ("elsewhere", ["--context", "elsewhere"])]
)
def test_a_command_line_runs_anywhere(tmp_path: Path, context: str, engine: list[str], with_settings: bool) -> None:
    files = (tmp_path / "compose.yaml", tmp_path / "compose.override.yaml")
    settings = ["--env-file", str(tmp_path / ".env")] if with_settings else []
    if with_settings:
        (tmp_path / ".env").touch()
    compose = Compose(Stack("test", tmp_path, files, tmp_path), Endpoint(context, "unix:///some.sock"))
    docker, *words = compose.command("up", every_profile=True)
    assert Path(docker).name == "docker"
    named = ["--file", str(files[0]), "--file", str(files[1])]
    folder = ["--project-directory", str(tmp_path)]
    assert words == [*engine, "compose", *named, "--profile", "*", *settings, *folder, "up"]


def test_looking_does_without_what_others_need(tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").write_text("name: sdtest-look\nservices: {a: {image: x}}\n")
    script = """if True:
        import asyncio, sys
        from pathlib import Path
        from tui.engine.choose import open_engine
        from tui.stack.catalogue import find_stack

        async def look():
            engine = await open_engine(find_stack(sys.argv[1], Path.cwd()))
            await engine.project()
            await engine.replicas()
            await engine.close()

        asyncio.run(look())
        print(sorted({"jsonschema", "textual"} & set(sys.modules)))
    """
    run = [sys.executable, "-c", script, str(tmp_path)]
    done = subprocess.run(run, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"
