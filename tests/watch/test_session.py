"""A session: opened, closed, several side by side; what cannot be opened leaves nothing open."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.scripted_engine import ScriptedEngine
from tests.watch.conftest import LAYOUT, PROJECT, until
from tui.engine.interface import Engine, EngineGone
from tui.stack.errors import StackError
from tui.stack.model import Generated, Layout, Project, Role, Service, ServiceLayout, Stack
from tui.watch.session import OpenEngine, Session

OTHER = Project("other", {"mlflow": Service("mlflow", image="mlflow", command=("mlflow", "server"))})


def opens(engine: ScriptedEngine) -> OpenEngine:
    async def open_engine(stack: Stack) -> Engine:
        return engine

    return open_engine


async def test_two_sessions_side_by_side(stack: Stack, tmp_path: Path) -> None:
    engines = [ScriptedEngine(PROJECT), ScriptedEngine(OTHER)]
    plain = Stack("other", tmp_path, (), tmp_path)
    first, second = [
        await Session.open(one, opens(engine)) for one, engine in zip((stack, plain), engines, strict=True)
    ]
    await first.look()
    await second.look()
    engines[0].add("db")
    engines[1].add("mlflow")
    await until(lambda: first.watch.panes["db/1"].well and second.watch.panes["mlflow/1"].well)
    assert "mlflow/1" not in first.watch.panes and "db/1" not in second.watch.panes
    assert second.stack.layout and second.stack.layout.service("mlflow").role is Role.MLFLOW, "roles are detected"

    engines[0].gone()
    await until(lambda: first.watch.outage)
    assert second.watch.outage is None
    await second.close()
    assert engines[1].closed and not engines[0].closed
    engines[0].back()
    await first.watch.refresh()
    assert first.watch.panes["db/1"].well
    await first.close()
    assert engines[0].closed


async def test_what_cannot_be_opened_gives_its_engine_back(stack: Stack) -> None:
    engine = ScriptedEngine(PROJECT)
    layout = replace(LAYOUT, services=(ServiceLayout("wroker", Role.SPARK_WORKER),))
    with pytest.raises(StackError, match=r"'wroker'; did you mean 'worker'\?"):
        await Session.open(replace(stack, layout=layout), opens(engine))
    assert engine.closed

    engine = ScriptedEngine(PROJECT)
    engine.gone()
    with pytest.raises(EngineGone):
        await Session.open(stack, opens(engine))
    assert engine.closed


async def test_a_session_that_starts_makes_what_its_files_demand(stack: Stack, tmp_path: Path) -> None:
    file = tmp_path / "compose.yaml"
    file.write_text("services:\n  db:\n    environment: {KEY: '${KEY:?}'}\n")
    made = replace(stack, files=(file,), layout=Layout("demo", "Demo", environment={"KEY": Generated.SECRET_KEY}))
    with pytest.raises(StackError, match="sparkdeck setup makes them"):
        await Session.open(made, opens(ScriptedEngine(PROJECT)))
    told: list[str] = []
    session = await Session.open(made, opens(ScriptedEngine(PROJECT)), starting=True, tell=told.append)
    assert told and "KEY=(generated)" in told[0] and "KEY=" in made.env_file.read_text()
    await session.close()
