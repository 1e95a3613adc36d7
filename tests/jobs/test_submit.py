"""What a run is given, and what others may read of it."""

from __future__ import annotations

import json

import pytest

from tests.scripted_engine import ScriptedEngine
from tui.engine.interface import EngineGone, Replica, RunRequest, State
from tui.jobs.submit import find_runs, submit
from tui.stack.model import JobSpec, Project, Service
from tui.stack.secrets import MASK
from tui.watch import outlast

PROJECT = Project("demo", {"client": Service("client")})
JOB = JobSpec("train", "client", "/apps/train.py")


async def test_a_run_gets_its_secrets_and_its_labels_do_not() -> None:
    engine = ScriptedEngine(PROJECT)
    args = ["--password", "hunter2", "--rows", "5", "redis://:hunter2@cache"]
    conf = {"spark.hadoop.fs.s3a.secret.key": "hunter2"}
    run = await submit(engine, PROJECT, JOB, args, conf=conf, env={"FERNET_KEY": "hunter2", "TASKS": "load"})
    request = engine.actions[-1][1][0]
    assert list(request.arguments) == args and "spark.hadoop.fs.s3a.secret.key=hunter2" in request.command
    assert request.env["FERNET_KEY"] == "hunter2"
    assert "hunter2" not in json.dumps(dict(request.labels), ensure_ascii=False)
    assert run.args == ("--password", MASK, "--rows", "5", f"redis://:{MASK}@cache")
    assert run.env == {"FERNET_KEY": MASK, "TASKS": "load"}


async def test_labels_of_others_are_masked_as_well() -> None:
    engine = ScriptedEngine(PROJECT)
    labels = {"args": '["--token=hunter2"]', "env": '{"API_KEY": "hunter2", "A": "b"}'}
    engine.add_run("client", "train-1", labels=labels)
    (run,) = await find_runs(engine)
    assert run.args == (f"--token={MASK}",) and run.env == {"API_KEY": MASK, "A": "b"}


@pytest.mark.parametrize("created", [True, False])
async def test_a_run_whose_start_was_not_answered_is_started_once(
    created: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outlast, "FIRST_PAUSE", 0.02)
    engine = ScriptedEngine(PROJECT)
    begin = engine.start_run

    async def start_run(request: RunRequest) -> Replica:
        if created:
            engine.change(await begin(request), "created", state=State.CREATED)
        engine.gone("No engine answers.")
        raise EngineGone("the connection was cut")

    told: list[str] = []

    def tell(text: str) -> None:
        # While one waits, the engine comes back.
        told.append(text)
        engine.start_run = begin  # type: ignore[method-assign]
        engine.back()

    engine.start_run = start_run  # type: ignore[method-assign]
    run = await submit(engine, PROJECT, JOB, told=tell)
    (only,) = await find_runs(engine)
    assert only.id == run.id and only.replica.state is State.RUNNING
    assert [text.split(".")[0] for text in told] == ["No engine answers", "The engine is back"]
