"""A DAG run: what is run in Airflow's service, and what it prints."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tui.jobs.kinds.airflow import Airflow
from tui.jobs.kinds.airflow_run import _entries, _line, _readable
from tui.jobs.kinds.kind import SubmitError
from tui.stack.model import JobKind, JobSpec, Port, Project, Service

PROJECT = Project("p", {"airflow": Service("airflow", ports=(Port(9090, 9090),))})
DAG = JobSpec("train", "airflow", kind=JobKind.AIRFLOW, dag="train", conf={"trials": "3"})


def test_a_dag_run_is_driven_by_the_services_own_python() -> None:
    command, arguments = Airflow().command(PROJECT, DAG, "train-1", (), {"trials": "5", "worse": "true"})
    assert arguments == []
    source = command.index("sparkdeck") + 2
    compile(command[source], "airflow_run", "exec")
    options = dict(zip(command[source + 1 :: 2], command[source + 2 :: 2], strict=True))
    assert (options["--dag"], options["--run"], options["--url"]) == ("train", "train-1", "http://airflow:9090")
    assert json.loads(options["--conf"]) == {"trials": "5", "worse": "true"}
    with pytest.raises(SubmitError, match="takes no arguments"):
        Airflow().command(PROJECT, DAG, "train-1", ["x"], {})


def test_the_entrypoint_of_airflows_own_image_runs_it_too(tmp_path: Path) -> None:
    """It knows bash and python; of every other word it makes a subcommand of airflow."""
    entrypoint = tmp_path / "entrypoint"
    entrypoint.write_text(
        '#!/bin/bash\ncase "$1" in\n  bash) shift; exec /bin/bash "$@" ;;\n  python) shift; exec python "$@" ;;\n'
        '  airflow) shift ;;\nesac\necho "airflow: invalid choice: $1" >&2\nexit 2\n'
    )
    command, _ = Airflow().command(PROJECT, DAG, "train-1", (), {})
    done = subprocess.run(["bash", entrypoint, *command, "--help"], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "") and "--dag" in done.stdout


def test_of_a_tasks_log_its_own_words_are_shown() -> None:
    at = {"timestamp": "2026-11-21T10:15:43Z", "level": "info"}
    assert _line({**at, "event": "569 samples", "logger": "task.stdout"}) == "569 samples"
    assert _line({**at, "event": "Filling up the DagBag", "logger": "airflow.dag_processing"}) == ""
    assert _line({"event": "/airflow/logs/attempt=1.log"}) == ""
    assert (
        _line(
            {
                **at,
                "level": "error",
                "event": "Task failed",
                "logger": "task",
                "error_detail": [{"exc_type": "ValueError", "exc_value": "bad data"}],
            }
        )
        == "ERROR Task failed: ValueError: bad data"
    )
    assert _entries({"content": "one\ntwo"}) == ["one", "two"]  # Airflow 2
    assert _entries(None) == []


def test_a_result_is_readable() -> None:
    assert _readable('{"version": "1", "promoted": true}') == "version   1\npromoted  true"
    assert _readable("done") == "done"
    assert _readable([1, 2]) == "[1, 2]"
