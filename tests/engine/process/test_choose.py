"""Which engine is taken, and why."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.engine.process.test_plan import COMPOSE, LAYOUT
from tui.engine.choose import EngineKind, open_engine
from tui.engine.interface import EngineError, EngineGone, drain
from tui.stack.catalogue import find_stack
from tui.stack.model import Stack

SLEEPER = LAYOUT[: LAYOUT.index("services:")].replace("{port:db:70}", "1") + (
    "services: {web: {process: {command: [sleep, 1000]}}, db: {process: {command: [sleep, 1000]}}}\n"
)


@pytest.fixture
def stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stack:
    """A stack with a process form, on a machine whose Docker is gone."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/no-docker.sock")
    monkeypatch.delenv("DOCKER_CONTEXT", raising=False)
    folder = tmp_path / "stack"
    folder.mkdir()
    (folder / "compose.yaml").write_text(COMPOSE)
    (folder / "sparkdeck.yaml").write_text(SLEEPER)
    return find_stack(str(folder), folder)


async def reason(stack: Stack, kind: EngineKind = EngineKind.AUTO) -> tuple[str, str]:
    engine = await open_engine(stack, kind)
    try:
        return engine.info.kind, engine.info.reason
    finally:
        await engine.close()


async def test_processes_where_docker_does_not_answer_or_they_are_asked_for(stack: Stack) -> None:
    assert await reason(stack) == ("process", "Docker does not answer")
    assert await reason(stack, EngineKind.PROCESS) == ("process", "asked for")
    with pytest.raises(EngineGone, match=r"no-docker\.sock"):
        await open_engine(stack, EngineKind.DOCKER)


async def test_a_stack_without_a_process_form_needs_docker_and_both_reasons_are_said(stack: Stack) -> None:
    file = stack.folder / "sparkdeck.yaml"
    file.write_text("name: mine\ntitle: Mine\nservices: {web: {}}\n")
    plain = find_stack(str(stack.folder), stack.folder)
    with pytest.raises(EngineGone, match=r"(?s)no-docker\.sock.*Nor can it run as processes: mine has no process form"):
        await open_engine(plain)
    with pytest.raises(EngineError, match="no process form"):
        await open_engine(plain, EngineKind.PROCESS)
    # A project without any layout is Docker's: what to start is all that is said.
    file.unlink()
    with pytest.raises(EngineGone, match=r"no-docker\.sock") as refusal:
        await open_engine(find_stack(str(stack.folder), stack.folder))
    assert "Start Docker" in str(refusal.value) and "Nor can it" not in str(refusal.value)


@pytest.mark.engine
async def test_docker_where_it_answers_but_not_for_a_stack_that_runs_as_processes(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DOCKER_HOST")
    assert await reason(stack) == ("docker", "")
    engine = await open_engine(stack, EngineKind.PROCESS)
    try:
        await drain(engine.up())
        assert await reason(stack) == ("process", "this stack runs as processes here")
        assert await reason(stack, EngineKind.DOCKER) == ("docker", "")
        await drain(engine.down(volumes=True))
        assert await reason(stack) == ("docker", "")
    finally:
        await drain(engine.down(volumes=True))
        await engine.close()
