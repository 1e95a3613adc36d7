"""One stack on each engine: what all must do is asked of all."""

from __future__ import annotations

import asyncio
import sys
import uuid
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.engine.contract.play import Play
from tests.engine.docker.conftest import remove_project
from tui.engine.choose import EngineKind, open_engine
from tui.engine.interface import Engine, drain
from tui.engine.process import cache, store
from tui.stack.layout import load_layout
from tui.stack.model import Stack

Start = Callable[[], Awaitable[Engine]]

COMPOSE = """
x-base: &base
  image: debian:bookworm-slim
  init: true
  stop_grace_period: 2s
services:
  prepare:
    <<: *base
    command: [sh, -c, "echo prepared; exit ${PREPARED:-0}"]
  web:
    <<: *base
    command: [sleep, infinity]
    environment: {COLOUR: red}
    healthcheck: {test: "echo all is well", interval: 1s, retries: 1}
    depends_on: {prepare: {condition: service_completed_successfully}}
  talk:
    <<: *base
    command: [sh, -c, "n=0; while true; do n=$$((n+1)); echo line $$n; sleep 0.1; echo error $$n >&2; sleep 0.1; done"]
    depends_on: {web: {condition: service_healthy}}
  greet:
    <<: *base
    command: [printf, "hello %s, %s"]
    profiles: [jobs]
"""
LAYOUT = f"""
name: contract
title: Contract
process: {{}}
services:
  prepare: {{role: one-shot}}
  web:
    role: app
    process:
      command: [{sys.executable}, -m, http.server, "{{port:8000}}", --bind, 127.0.0.1]
      ready: {{url: "http://127.0.0.1:{{port:8000}}/"}}
  talk: {{role: app}}
  greet: {{role: app, process: {{command: [printf, "hello %s, %s"]}}}}
"""


@pytest.fixture(params=[pytest.param("docker", marks=pytest.mark.engine), "process", "scripted"])
def kind(request: pytest.FixtureRequest) -> str:
    """Each engine in turn, the tests' own too."""
    return str(request.param)


@pytest.fixture
async def start(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[Start]:
    """Opens an engine on the stack; several times if asked. What it started is ended afterwards."""
    name = f"sdtest{uuid.uuid4().hex[:10]}"
    (tmp_path / "compose.yaml").write_text(COMPOSE)
    (tmp_path / ".env").write_text(f"COMPOSE_PROJECT_NAME={name}\n")
    (tmp_path / "sparkdeck.yaml").write_text(LAYOUT)
    monkeypatch.setattr(store, "user_state_path", lambda app: tmp_path / "state" / app)
    monkeypatch.setattr(cache, "user_cache_path", lambda app: tmp_path / "cache" / app)
    layout = load_layout(tmp_path / "sparkdeck.yaml")
    stack = Stack("contract", tmp_path, (tmp_path / "compose.yaml",), tmp_path, layout=layout)
    if kind == "scripted":
        play = Play()

        async def again() -> Engine:
            play.closed = False
            return play

        yield again
        await play.end_all()
        return
    async with AsyncExitStack() as closing:

        async def make() -> Engine:
            engine = await open_engine(stack, EngineKind(kind))
            closing.push_async_callback(engine.close)
            return engine

        yield make
        if kind == "process":
            await drain((await make()).remove_all())
    if kind == "docker":
        await asyncio.to_thread(remove_project, name)
