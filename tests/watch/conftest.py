"""A scripted stack to watch."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from pathlib import Path

import pytest

from tests.scripted_engine import ScriptedEngine
from tui.stack.model import Layout, Project, Role, Service, ServiceLayout, Stack
from tui.watch.live import StackWatch

PROJECT = Project(
    "demo",
    {
        "db": Service("db", has_health_check=True),
        "web": Service("web", depends_on={"db": "service_healthy"}),
        "worker": Service("worker", replicas=2),
        "extra": Service("extra", profiles=("more",)),
    },
)
LAYOUT = Layout("demo", "Demo", services=(ServiceLayout("worker", Role.SPARK_WORKER),))


async def until(reached: Callable[[], object], seconds: float = 5) -> None:
    """Waits for a state of the watch."""
    async with asyncio.timeout(seconds):
        while not reached():  # noqa: ASYNC110
            await asyncio.sleep(0.005)


@pytest.fixture(autouse=True)
def _own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What fails here on purpose is told to nobody else."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))


@pytest.fixture
def stack(tmp_path: Path) -> Stack:
    return Stack("demo", tmp_path, (), tmp_path, layout=LAYOUT)


@pytest.fixture
def engine() -> ScriptedEngine:
    return ScriptedEngine(PROJECT)


@pytest.fixture
async def watch(engine: ScriptedEngine, stack: Stack) -> AsyncGenerator[StackWatch]:
    """Watches what the test puts into the engine; the test starts it."""
    watching = StackWatch(engine, stack, PROJECT)
    yield watching
    await watching.close()
