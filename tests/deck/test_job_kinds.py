"""The submit form of jobs that are not Spark's, and a stack whose compose files demand what is not set."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from textual.widgets import Input, Select

from tests.deck.fakes import SERVICES, layout_stack
from tests.deck.harness import deck_on, scripted
from tui.deck.jobform import form_of, submission
from tui.deck.screens.panes import PanesScreen
from tui.deck.screens.submit import FIELDS, SubmitScreen
from tui.jobs.kinds.kind import SubmitError
from tui.jobs.submit import run_of
from tui.stack.model import JobKind, JobSpec, Project, Service, Stack
from tui.stack.secrets import MASK
from tui.watch.session import Session

COUNT = JobSpec("count", "jupyter", kind=JobKind.RUN, command=("wc", "-l"))
TRAIN = JobSpec("train", "mlflow", kind=JobKind.AIRFLOW, dag="train", conf={"trials": "3"})


def stack_with(*jobs: JobSpec) -> Stack:
    stack = layout_stack()
    assert stack.layout
    return replace(stack, layout=replace(stack.layout, jobs=(*stack.layout.jobs, *jobs)))


def shown(screen: SubmitScreen) -> list[str]:
    return [name for name, _, _ in FIELDS if screen.query_one(f"#row-{name}").display]


async def test_the_form_has_the_fields_of_the_jobs_kind() -> None:
    engine = scripted(SERVICES)
    async with deck_on(engine, stack=stack_with(COUNT, TRAIN)) as deck:
        await deck.press("J")
        await deck.until(lambda: isinstance(deck.app.screen, SubmitScreen))
        form = deck.app.screen
        assert isinstance(form, SubmitScreen)
        assert shown(form) == [name for name, _, _ in FIELDS]
        # What was typed for Spark is not meant for another kind.
        form.query_one("#executor_memory", Input).value = "512m"

        form.query_one("#job", Select).value = "count"
        await deck.until(lambda: shown(form) == ["args"])
        form.query_one("#args", Input).value = "/data/one.csv"
        await deck.until_seen("submit count -- /data/one.csv")
        await deck.until_seen("what its service needs is up")

        form.query_one("#job", Select).value = "train"
        await deck.until(lambda: shown(form) == ["confs"])
        form.query_one("#confs", Input).value = "trials=5"
        await deck.until_seen("submit train --conf trials=5")
        await deck.press("ctrl+s")
        await deck.until(lambda: isinstance(deck.app.screen, PanesScreen))
        await deck.until(lambda: bool(deck.did("start_run")))
        request = deck.did("start_run")[0][0]
        assert request.service == "mlflow" and request.command[0] == "bash"
        assert json.loads(request.command[-1]) == {"trials": "5"}

        run = next(item for item in await engine.replicas() if item.is_run)
        engine.write(run, "[load] running")
        await deck.until_seen("[load] running")
        assert "the driver starts" not in deck.text(), "a DAG run has none"

        # The same again, from the history.
        engine.finish(run, 0)
        await deck.press("J")
        await deck.until_seen(run.labels["run"])
        deck.app.screen.query_one("OptionList").focus()
        await deck.press("down", "enter")
        await deck.until(lambda: deck.app.screen.query_one("#confs", Input).value == "trials=5")


def test_a_past_runs_secrets_are_written_again_by_who_knows_them() -> None:
    engine = scripted(SERVICES)
    labels = {"job": "x", "kind": "spark", "app": "/apps/x.py", "args": '["--pw=hunter2"]'}
    labels["conf"] = '{"spark.x.secret": "hunter2", "a": "b", "spark.cores.max": "2"}'
    run = run_of(engine.add_run("spark-submit", "x-1", labels=labels))
    form = form_of(run, ())
    assert (form.job, form.args, form.confs) == ("/apps/x.py", f"'--pw={MASK}'", f"spark.x.secret={MASK}; a=b")
    assert form.cores == "2"
    ready = Session(engine, layout_stack(), Project("demo", {name: Service(name) for name in SERVICES}))
    for spoilt in (form, replace(form, args=""), replace(form, confs="")):
        with pytest.raises(SubmitError, match="write them in place of"):
            submission(ready, spoilt)
    assert submission(ready, replace(form, args="--pw=new", confs="a=b")).args == ("--pw=new",)


async def test_what_is_missing_is_listed_instead_of_a_stack(tmp_path: Path) -> None:
    file = tmp_path / "compose.yaml"
    file.write_text("services: {web: {image: '${TOWN_X:?a town}/${NAME_X:?a name}'}}")
    stack = replace(layout_stack(), files=(file,))
    async with deck_on(scripted(SERVICES), stack=stack, wait=False) as deck:
        await deck.until_seen("TOWN_X")
        assert "a town" in deck.text() and "NAME_X" in deck.text() and "a name" in deck.text()
