"""Docker's command lines, and what looking at a stack loads."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

from tui.engine.choose import open_engine
from tui.engine.docker import compose as compose_module
from tui.engine.docker.api import Endpoint
from tui.engine.docker.compose import Compose
from tui.engine.docker.engine import DockerEngine
from tui.engine.interface import EngineError, EngineInfo, drain
from tui.stack.model import Stack
from tui.stack.project import parse_project

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


BOMB = "\n".join(f"x-{n}: &a{n} [{', '.join([f'*a{n - 1}' if n else 'lol'] * 9)}]" for n in range(9))


async def test_a_project_that_never_gets_ready(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "compose.yaml").write_text(f"{BOMB}\nservices: {{a: {{image: x}}}}\n")
    monkeypatch.setattr(compose_module, "CONFIG_SECONDS", 1)
    before = psutil.Process().children(recursive=True)
    with pytest.raises(EngineError, match=r"ended after 1 s: it did not get through .*compose\.yaml\. Do aliases"):
        await nowhere(tmp_path).config()
    assert psutil.Process().children(recursive=True) == before


async def test_a_project_is_read_without_an_engine(tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").write_text("name: x\nservices: {a: {image: x}}\n")
    assert parse_project(await nowhere(tmp_path).config()).name == "x"


async def test_a_project_is_read_once_while_its_files_are_as_they_were(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, calls = shutil.which("docker"), tmp_path / "calls"
    shim = tmp_path / "bin" / "docker"
    shim.parent.mkdir()
    shim.write_text(f'#!/bin/sh\necho "$@" >>{calls}\nexec {real} "$@"\n')
    shim.chmod(0o755)
    monkeypatch.setenv("PATH", f"{shim.parent}:{os.environ['PATH']}")
    (tmp_path / "compose.yaml").write_text("name: sdtest-once\nservices: {a: {image: x}}\n")
    engine = await open_engine(Stack("test", tmp_path, (tmp_path / "compose.yaml",), tmp_path))
    try:
        for _ in range(3):
            assert list((await engine.project()).services) == ["a"]
            assert await engine.replicas() == []
            with pytest.raises(EngineError, match="no service 'b'"):
                await drain(engine.stop(["b"]))
        # The default context is known without asking.
        assert [line.split()[-3:] for line in calls.read_text().splitlines()] == [["config", "--format", "json"]]
        (tmp_path / "compose.yaml").write_text("name: sdtest-once\nservices: {a: {image: x}, b: {image: x}}\n")
        assert list((await engine.project()).services) == ["a", "b"]
        assert len(calls.read_text().splitlines()) == 2
    finally:
        await engine.close()


def nowhere(folder: Path) -> Compose:
    return Compose(Stack("test", folder, (folder / "compose.yaml",), folder), Endpoint("default", "unix:///no.sock"))


TOOL = """#!/bin/sh
case "$*" in
  *" config "*) echo '{"name": "demo", "services": {"web": {"image": "x"}, "more": {"image": "y"}}}' ;;
  *) printf '%s\\n' "docker $*" >>"$0.told" ;;
esac
"""


class Everything:
    """An engine's API that has every image and no container."""

    endpoint = Endpoint("default", "unix:///some.sock")

    async def has(self, path: str) -> bool:
        return True

    async def query(self, kind: object, path: str, **how: object) -> list[object]:
        return []


@pytest.mark.parametrize("services", [("web",), ("web", "more"), ()])
async def test_the_command_that_is_shown_is_the_one_that_is_run(
    services: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tool, file = tmp_path / "docker", tmp_path / "a file.yaml"
    tool.write_text(TOOL)
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    file.touch()
    api: Any = Everything()
    engine = DockerEngine(Stack("demo", tmp_path, (file,), tmp_path), api, EngineInfo("docker", "1", "here"))
    acts = {
        "build": engine.build(services),
        "up": engine.up(services),
        "recreate": engine.up(services, recreate=True),
        "stop": engine.stop(services),
        "restart": engine.restart(services),
        "down": engine.down(),
    }
    for action, act in acts.items():
        (tmp_path / "docker.told").unlink(missing_ok=True)
        await drain(act)
        (shown,) = engine.commands(action, () if action == "down" else services)
        (told,) = (tmp_path / "docker.told").read_text().splitlines()
        assert " ".join(shlex.split(shown)).removeprefix(f"{tmp_path}/") == told


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
