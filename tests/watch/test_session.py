"""A session: opened, closed, several side by side; it goes with its stack's files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.scripted_engine import ScriptedEngine
from tests.watch.conftest import LAYOUT, PROJECT, until
from tui.engine.interface import Engine, EngineGone
from tui.stack.catalogue import find_stack
from tui.stack.errors import StackError
from tui.stack.model import Generated, Layout, Project, Role, Service, ServiceLayout, Stack
from tui.watch import session as module
from tui.watch.session import OpenEngine, Session

OTHER = Project("other", {"mlflow": Service("mlflow", image="mlflow", command=("mlflow", "server"))})


def opens(engine: ScriptedEngine) -> OpenEngine:
    async def open_engine(stack: Stack) -> Engine:
        return engine

    return open_engine


async def test_two_sessions_side_by_side(stack: Stack, tmp_path: Path) -> None:
    engines = [ScriptedEngine(PROJECT), ScriptedEngine(OTHER)]
    plain = Stack("other", tmp_path, (), tmp_path)
    first = await Session.open(lambda: stack, opens(engines[0]))
    second = await Session.open(lambda: plain, opens(engines[1]))
    await first.look()
    await second.look()
    engines[0].add("db")
    engines[1].add("mlflow")
    await until(lambda: first.watch.panes["db/1"].well and second.watch.panes["mlflow/1"].well)
    assert "mlflow/1" not in first.watch.panes and "db/1" not in second.watch.panes
    assert second.stack.role("mlflow") is Role.MLFLOW, "roles are detected"

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
        await Session.open(lambda: replace(stack, layout=layout), opens(engine))
    assert engine.closed

    engine = ScriptedEngine(PROJECT)
    engine.gone()
    with pytest.raises(EngineGone):
        await Session.open(lambda: stack, opens(engine))
    assert engine.closed


async def test_a_session_that_starts_makes_what_its_files_demand(stack: Stack, tmp_path: Path) -> None:
    file = tmp_path / "compose.yaml"
    file.write_text("services:\n  db:\n    environment: {KEY: '${KEY:?}'}\n")
    made = replace(stack, files=(file,), layout=Layout("demo", "Demo", environment={"KEY": Generated.SECRET_KEY}))
    with pytest.raises(StackError, match="sparkdeck setup makes them"):
        await Session.open(lambda: made, opens(ScriptedEngine(PROJECT)))
    told: list[str] = []
    session = await Session.open(lambda: made, opens(ScriptedEngine(PROJECT)), starting=True, tell=told.append)
    assert told and "KEY=(generated)" in told[0] and "KEY=" in made.env_file.read_text()
    await session.close()


class Files:
    """A session on files that a test edits, on an engine that reads its services from them."""

    def __init__(self, folder: Path) -> None:
        self.compose, self.layout = folder / "compose.yaml", folder / "sparkdeck.yaml"
        self.engine = ScriptedEngine(Project("mine", {}))
        self.write("web", "db")
        self.folder = folder

    def write(self, *names: str) -> None:
        """The services that there are now."""
        self.engine.set_project(Project("mine", {name: Service(name) for name in names}))
        self.compose.write_text("services:\n" + "".join(f"  {name}: {{image: x}}\n" for name in names))

    async def open(self) -> Session:
        session = await Session.open(lambda: find_stack(str(self.folder), self.folder), opens(self.engine))
        await session.look()
        return session


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Files:
    monkeypatch.setattr(module, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(module, "AGAIN_SECONDS", 0.01)
    folder = tmp_path / "mine"
    folder.mkdir()
    return Files(folder)


async def test_a_service_that_is_added_to_the_files_is_one_like_any_other(files: Files) -> None:
    session = await files.open()
    files.engine.add("web")
    await until(lambda: session.watch.panes["web/1"].well)
    web = session.watch.panes["web/1"]
    version = session.version
    files.write("web", "db", "spark-master")
    await until(lambda: "spark-master/1" in session.watch.panes)
    new = session.watch.panes["spark-master/1"]
    assert new.service is not None and new.word == "down" and new.role is Role.SPARK_MASTER
    assert session.version > version and "spark-master" in session.project.services
    assert session.watch.panes["web/1"] is web, "what is shown stays"
    files.engine.add("spark-master")
    await until(lambda: new.well)

    # A container before its service: an orphan, until the file has it.
    files.engine.add("late")
    await until(lambda: "late/1" in session.watch.panes)
    late = session.watch.panes["late/1"]
    assert late.service is None
    files.write("web", "db", "spark-master", "late")
    await until(lambda: late.service)
    files.write("db")
    await until(lambda: late.service is None and web.service is None)
    assert list(session.watch.panes) == ["db/1", "late/1", "spark-master/1", "web/1"]
    await session.close()


async def test_a_layout_that_is_written_while_its_stack_is_shown(files: Files) -> None:
    session = await files.open()
    web = session.watch.panes["web/1"]
    files.layout.write_text("name: mine\ntitle: Mine\nservices:\n  web: {role: app}\n  db: {role: database}\n")
    await until(lambda: web.role is Role.APP)
    assert session.stack.layout and session.stack.layout.source == files.layout.resolve()
    # It may not name what is not there: said with its line, and the last good one stays.
    files.write("db")
    await until(lambda: session.stale)
    assert f"{files.layout.resolve()}:4: services.web" in session.stale
    assert web.role is Role.APP and list(session.project.services) == ["web", "db"]
    files.layout.unlink()
    await until(lambda: "web" not in session.project.services)
    assert session.stale == ""
    await session.close()


async def test_files_that_are_broken_while_they_are_edited(files: Files) -> None:
    session = await files.open()
    good = files.compose.read_text()
    files.engine.fail("project", "yaml: while parsing a block mapping")
    files.compose.write_text(good + "  new: image: x\n")
    await until(lambda: session.stale)
    assert session.stale.startswith(f"{files.compose}:4: is not valid YAML")
    assert list(session.watch.panes) == ["web/1", "db/1"] and session.watch.outage is None
    # What compose alone sees is said in its words.
    files.compose.write_text(good)
    await until(lambda: session.stale == "yaml: while parsing a block mapping")
    # What was wrong may stand in a file that these include.
    files.engine.mend("project")
    await until(lambda: not session.stale)
    files.compose.unlink()
    await until(lambda: "has no compose file" in session.stale)
    files.folder.rmdir()
    await until(lambda: "was deleted" in session.stale)
    files.folder.mkdir()
    files.write("web", "db", "back")
    await until(lambda: "back/1" in session.watch.panes)
    files.compose.with_name("compose.override.yaml").write_text("services: {}\n")
    await until(lambda: "compose.override.yaml): start SparkDeck again" in session.stale)
    await session.close()
