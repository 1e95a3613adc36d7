"""Docker's command lines: looking at a stack does without python-on-whales, and says what it would say."""

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
@pytest.mark.parametrize("context", ["default", "elsewhere"])
async def test_reading_is_told_as_acting(tmp_path: Path, context: str, with_settings: bool) -> None:
    files = (tmp_path / "compose.yaml", tmp_path / "compose.override.yaml")
    if with_settings:
        (tmp_path / ".env").touch()
    compose = Compose(Stack("test", tmp_path, files, tmp_path), Endpoint(context, "unix:///some.sock"))
    assert compose.config_command() == await compose.command("config", "--format", "json", every_profile=True)


def test_looking_does_without_the_library(tmp_path: Path) -> None:
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
        print(sorted({"python_on_whales", "pydantic", "jsonschema", "textual"} & set(sys.modules)))
    """
    run = [sys.executable, "-c", script, str(tmp_path)]
    done = subprocess.run(run, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"
