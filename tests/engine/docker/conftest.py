"""A tiny compose project of its own for each test, removed afterwards whatever happens."""

from __future__ import annotations

import asyncio
import subprocess
import textwrap
import uuid
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tui.engine.choose import open_engine
from tui.engine.interface import Engine
from tui.stack.model import Stack

StartStack = Callable[..., Awaitable[Engine]]

HEAD = """
x-base: &base
  image: debian:bookworm-slim
  init: true
  stop_grace_period: 1s
"""


def run_docker(*arguments: str) -> str:
    """What docker's own command line says."""
    return subprocess.run(["docker", *arguments], check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def docker() -> Callable[..., str]:
    """Docker's own command line, to compare with."""
    return run_docker


def remove_project(name: str) -> None:
    """Removes everything with the project's label, and nothing else."""
    label = f"label=com.docker.compose.project={name}"
    for kind, listing, removal in (
        ("container", ["ls", "-aq"], ["rm", "-fv"]),
        ("network", ["ls", "-q"], ["rm"]),
        ("volume", ["ls", "-q"], ["rm", "-f"]),
        ("image", ["ls", "-q"], ["rm", "-f"]),
    ):
        found = run_docker(kind, *listing, "--filter", label).split()
        if found:
            subprocess.run(["docker", kind, *removal, *set(found)], capture_output=True, check=False)


@pytest.fixture
def project_name() -> str:
    """A name that no other test has."""
    return f"sdtest{uuid.uuid4().hex[:10]}"


@pytest.fixture
async def start_stack(tmp_path: Path, project_name: str) -> AsyncGenerator[StartStack]:
    """Writes a compose file (below `services:`, with `*base` to merge in) and opens its engine."""
    async with AsyncExitStack() as closing:

        async def start(services: str, *, rest: str = "", env: str = "") -> Engine:
            file = tmp_path / "compose.yaml"
            body = textwrap.indent(textwrap.dedent(services), "  ")
            file.write_text(f"{HEAD}\nservices:\n{body}\n{textwrap.dedent(rest)}")
            (tmp_path / ".env").write_text(f"COMPOSE_PROJECT_NAME={project_name}\n{env}")
            engine = await open_engine(Stack("test", tmp_path, (file,), tmp_path))
            closing.push_async_callback(engine.close)
            return engine

        yield start
    await asyncio.to_thread(remove_project, project_name)
