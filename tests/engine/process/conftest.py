"""A tiny stack of processes for each test, ended afterwards whatever happens."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.engine.process.tiny import TinyPlan
from tui.engine.interface import drain
from tui.engine.process import cache, store
from tui.engine.process import engine as process_engine
from tui.engine.process.engine import ProcessEngine
from tui.stack.model import Project, Service, Stack

Start = Callable[..., "ProcessEngine"]


@pytest.fixture
def states(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where state is kept in this test; what is made once is kept beside it."""
    folder = tmp_path / "state"
    monkeypatch.setattr(cache, "user_cache_path", lambda name: tmp_path / "cache" / name)
    monkeypatch.setattr(store, "user_state_path", lambda name: folder / name)
    return folder


@pytest.fixture
async def tiny(tmp_path: Path, states: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[Callable[..., object]]:
    """Opens engines on tiny stacks: `await tiny(services, commands)`; each has a `plan` that the test may change."""
    plans: dict[Path, TinyPlan] = {}
    monkeypatch.setattr(process_engine, "make_plan", lambda stack, state: plans[stack.home])
    async with AsyncExitStack() as closing:

        async def make(
            services: Sequence[Service], commands: Mapping[str, Sequence[str]], name: str = "tiny"
        ) -> ProcessEngine:
            home = tmp_path / name
            home.mkdir(exist_ok=True)
            project = Project(name, {service.name: service for service in services})
            plans.setdefault(home, TinyPlan(project, commands, home))
            engine = await ProcessEngine.open(Stack(name, home, (), home), "a test asked for it")

            async def away() -> None:
                ending = await ProcessEngine.open(Stack(name, home, (), home))
                await drain(ending.down(volumes=True))
                await ending.close()
                await engine.close()

            closing.push_async_callback(away)
            engine.plan = plans[home]  # type: ignore[attr-defined]
            return engine

        yield make
