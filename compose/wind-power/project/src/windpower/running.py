"""What the programs share: running a pipeline, waiting until told to stop, ending without a traceback."""

from __future__ import annotations

import logging
import os
import signal
import sqlite3
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from windpower.clean import UnusableData
from windpower.places import BadSetting
from windpower.registry import NoChampion

PROJECT = Path(__file__).parents[2]


def run_pipeline(name: str, *, quiet: bool = False) -> None:
    """Runs one of the project's pipelines, as `kedro run --pipeline NAME` does in the project's folder.

    `quiet` leaves out the line as each step begins.
    """
    os.environ.setdefault("KEDRO_LOGGING_CONFIG", str(PROJECT / "conf" / "logging.yml"))
    from kedro.framework.session import KedroSession
    from kedro.framework.startup import bootstrap_project

    bootstrap_project(PROJECT)
    if quiet:
        logging.getLogger("kedro.pipeline.node").setLevel(logging.WARNING)
    with KedroSession.create(project_path=PROJECT) as session:
        session.run(pipeline_names=[name])


def told_to_stop() -> threading.Event:
    """Set by SIGTERM and SIGINT; a service waits on it in place of sleeping, and ends with what it holds written."""
    told = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: told.set())
    return told


def ended(main: Callable[[], int]) -> int:
    """Runs a program to its exit code; what it cannot work with is said in a line: 2 for data and settings, 1 else."""
    try:
        return main()
    except (UnusableData, BadSetting) as problem:
        code, said = 2, str(problem)
    except (NoChampion, OSError, sqlite3.Error) as problem:
        code, said = 1, str(problem)
    except Exception as problem:
        # Kedro wraps what happens in its datasets and nodes.
        origin = _origin(problem, UnusableData, BadSetting)
        failed = _origin(problem, NoChampion, OSError, sqlite3.Error)
        if origin is None and failed is None:
            raise
        code, said = (2, str(origin)) if origin is not None else (1, str(failed))
    print(f"ERROR: {said}", file=sys.stderr, flush=True)
    return code


def _origin(problem: BaseException, *kinds: type[BaseException]) -> BaseException | None:
    """The error of one of these kinds that another was raised from, None where there is none."""
    seen: BaseException | None = problem
    while seen is not None:
        if isinstance(seen, kinds):
            return seen
        seen = seen.__cause__ or seen.__context__
    return None
