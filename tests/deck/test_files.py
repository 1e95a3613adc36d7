"""The deck while its stack's files are edited: services that are added, orphans, files that are broken."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.deck.harness import deck_on
from tests.scripted_engine import ScriptedEngine
from tui.stack.model import Project, Service, Stack
from tui.watch import session


@pytest.fixture
def stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stack:
    monkeypatch.setattr(session, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(session, "AGAIN_SECONDS", 0.01)
    file = tmp_path / "compose.yaml"
    return Stack("mine", tmp_path, (file,), tmp_path)


def write(engine: ScriptedEngine, stack: Stack, *names: str) -> None:
    """The services that there are now."""
    engine.set_project(Project("mine", {name: Service(name) for name in names}))
    stack.files[0].write_text("services:\n" + "".join(f"  {name}: {{image: x}}\n" for name in names))


async def test_a_service_that_is_added_is_started_and_one_that_went_is_removed(stack: Stack) -> None:
    engine = ScriptedEngine(Project("mine", {}))
    write(engine, stack, "web", "other")
    engine.add("web")
    engine.add("other")
    async with deck_on(engine, stack=stack) as deck:
        write(engine, stack, "web", "other", "late")
        await deck.until_seen("late")
        await deck.press("3", "u")
        await deck.until(lambda: deck.did("up") == [(("late",), False)], deck.text())
        await deck.until(lambda: deck.app.desk.panes["late/1"].well)

        write(engine, stack, "web", "other")
        await deck.until(lambda: deck.app.desk.panes["late/1"].service is None)
        await deck.until_seen("! 1 finding")
        (found,) = deck.app.desk.findings()
        assert found.what == "late-1 is there, but its service is not in compose.yaml."
        assert found.remedy == "Remove it: sparkdeck down late-1"
        late = deck.app.desk.panes["late/1"].replica
        assert late is not None
        await deck.press("r")
        await deck.until(lambda: deck.did("restart_replica") == [(late.id,)])
        await deck.press("s")
        await deck.until_seen("Remove late-1?")
        await deck.press("y")
        await deck.until(lambda: deck.did("remove") == [(late.id,)] and "late/1" not in deck.app.desk.panes)
        assert deck.app.runner.commands[-1].line.endswith("down late-1 --yes")
        assert not deck.did("stop") and not deck.did("down")


async def test_files_that_are_broken_are_a_finding_with_file_and_line(stack: Stack) -> None:
    engine = ScriptedEngine(Project("mine", {}))
    write(engine, stack, "web")
    engine.add("web")
    async with deck_on(engine, stack=stack) as deck:
        engine.fail("project", "yaml: mapping values are not allowed in this context")
        stack.files[0].write_text("services:\n  web: image: x\n")
        await deck.until_seen("! 1 finding")
        await deck.press("exclamation_mark")
        await deck.until_told("compose.yaml:2: is not valid YAML")
        await deck.press("escape")
        assert deck.app.desk.panes["web/1"].well
        engine.mend("project")
        write(engine, stack, "web")
        await deck.until(lambda: "finding" not in deck.text(), "it is well again")
