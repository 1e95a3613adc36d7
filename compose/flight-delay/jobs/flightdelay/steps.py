"""Step folders: written whole or not at all, with a summary beside the data."""

import contextlib
import fcntl
import json
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from pyspark.sql import SparkSession

from flightdelay.errors import BadInput

TASKS: Final = ("load", "preprocess", "train")
SUMMARY: Final = "_step.json"


def say(line: str) -> None:
    """A line for the reader, at once."""
    print(line, flush=True)


def name_jobs(spark: SparkSession, task: str, what: str) -> None:
    """Give Spark's next jobs and stages the name of what they are for."""
    spark.sparkContext.setJobGroup(task, f"{task}: {what}")


def spark_path(path: Path) -> str:
    """A local path for Spark, with the characters escaped that it would take for a pattern."""
    return "file:" + "".join("\\" + c if c in "[]{}*?\\" else c for c in str(path))


@contextlib.contextmanager
def written_whole(folder: Path) -> Iterator[Path]:
    """Give a .part folder to write into; it takes folder's place only once the block has ended well."""
    part, old = folder.with_name(folder.name + ".part"), folder.with_name(folder.name + ".old.part")
    for leftover in (part, old):
        shutil.rmtree(leftover, ignore_errors=True)
    try:
        yield part
        if folder.exists():
            folder.rename(old)
        part.rename(folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)


def write_text(path: Path, content: str) -> None:
    """Write a file whole."""
    part = path.with_name(path.name + ".part")
    part.write_text(content, encoding="utf-8")
    part.replace(path)


def write_summary(folder: Path, summary: dict[str, Any]) -> None:
    """Store a step's summary; its id lets the next step see whether it belongs to it."""
    stamped = {"id": f"{time.time_ns():x}", **summary}
    (folder / SUMMARY).write_text(json.dumps(stamped, indent=2), encoding="utf-8")


def read_summary(folder: Path, task: str) -> dict[str, Any]:
    """The summary of a finished step. Raises BadInput that says which step to run first."""
    try:
        summary: dict[str, Any] = json.loads((folder / SUMMARY).read_text(encoding="utf-8"))
    except FileNotFoundError:
        needed = ",".join(TASKS[: TASKS.index(task) + 1])
        raise BadInput(f"{folder}: not there. Run {task} first: TASKS={needed}") from None
    return summary


@contextlib.contextmanager
def only_writer(output: Path) -> Iterator[None]:
    """Hold the output folder: two jobs must not write into it at once. The lock ends with its process."""
    try:
        output.mkdir(parents=True, exist_ok=True)
        lock = os.open(output / ".lock", os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as problem:
        raise BadInput(f"{output}: cannot be written by user {os.getuid()}: {problem.strerror}.") from None
    try:
        fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        raise BadInput(f"{output}: another job is writing here. Wait for it, or choose another --output.") from None
    try:
        yield
    finally:
        os.close(lock)
