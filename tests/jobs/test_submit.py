"""What a run is given, and what others may read of it."""

from __future__ import annotations

import json

from tests.scripted_engine import ScriptedEngine
from tui.jobs.submit import find_runs, submit
from tui.stack.model import JobSpec, Project, Service
from tui.stack.secrets import MASK

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
