"""How a run ended: its exit code, its failed jobs and its log, taken together."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from tui.clients.spark_app import SparkJob
from tui.clients.text import plain
from tui.jobs.progress import split_bars, step_name


class Outcome(StrEnum):
    """How a run ended."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    KILLED = "killed"
    OUT_OF_MEMORY = "out-of-memory"
    SWALLOWED = "swallowed-failure"
    """Exit code 0, but something failed and was hidden."""
    UNKNOWN = "unknown"
    """No exit code: it still runs, or nobody saw it end."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a run ended. `text` is one sentence; `reason` the log's own words; `hint` what to do; or None."""

    outcome: Outcome
    text: str
    reason: str | None = None
    hint: str | None = None

    @property
    def ok(self) -> bool:
        """Whether it succeeded."""
        return self.outcome is Outcome.SUCCEEDED


def verdict(
    exit_code: int | None,
    *,
    out_of_memory: bool = False,
    jobs: Sequence[SparkJob] = (),
    log_tail: Sequence[str] = (),
) -> Verdict:
    """The verdict of a run from what is known.

    `exit_code` of the submitting process (a signal may also be negative, as Python has it); `out_of_memory`
    as the engine says; `jobs` from the last look at the driver's REST API; `log_tail` the end of its log.
    """
    lines = _clean(log_tail)
    code = 128 - exit_code if exit_code is not None and exit_code < 0 else exit_code
    if code is None:
        return Verdict(Outcome.UNKNOWN, "The run has no exit code: it still runs, or nobody saw it end.")
    if code == 0:
        return _ended_well(jobs, lines, out_of_memory)
    reason = find_reason(lines)
    hint = _hint(reason)
    if out_of_memory:
        text = f"Out of memory: the kernel killed a process of the run (exit code {code})."
        return Verdict(Outcome.OUT_OF_MEMORY, text, reason, _MORE_MEMORY)
    if reason and _JAVA_MEMORY.search(reason):
        text = f"Out of memory: the driver or an executor ran out of heap (exit code {code})."
        return Verdict(Outcome.OUT_OF_MEMORY, text, reason, hint)
    if code in _SIGNALS:
        name, why = _SIGNALS[code]
        return Verdict(Outcome.KILLED, f"Killed by {name} (exit code {code}): {why}.", reason, _KILL_HINTS.get(code))
    return Verdict(Outcome.FAILED, f"Failed with exit code {code}" + (f": {reason}" if reason else "."), reason, hint)


_MORE_MEMORY = "Give the service more memory, or the driver less (spark.driver.memory), or work on smaller parts."
_SIGNALS = {
    130: ("SIGINT", "somebody interrupted it"),
    137: ("SIGKILL", "by force, or by the kernel for want of memory"),
    143: ("SIGTERM", "somebody stopped it, or its service was stopped"),
}
_KILL_HINTS = {137: f"If nobody killed it, memory ran out. {_MORE_MEMORY}"}
_JAVA_MEMORY = re.compile(r"java\.lang\.OutOfMemoryError|\bMemoryError\b|Java heap space|GC overhead limit")


def _ended_well(jobs: Sequence[SparkJob], lines: list[str], out_of_memory: bool) -> Verdict:
    """With exit code 0 only these prove a failure: a Spark job that failed and was not done again with success, and
    an exception that ended the driver though the exit code was lost (in a pipe, by a wrapper). An exception that the
    application caught, logged and lived on with is its own business."""
    uncaught = _uncaught(lines)
    failed = _failed_jobs(jobs) or _failed_in_log(lines)
    if failed:
        count = f"{len(failed)} of {len(jobs)} Spark jobs" if jobs else "a Spark job"
        text = f"Ended with exit code 0, but {count} failed ({failed[-1]})."
        return Verdict(Outcome.SWALLOWED, text, uncaught or _traceback(lines) or find_reason(lines), _SWALLOWED_HINT)
    if uncaught:
        text = f"Ended with exit code 0, but its log says: {uncaught}"
        return Verdict(Outcome.SWALLOWED, text, uncaught, _SWALLOWED_HINT)
    if out_of_memory:
        text = "Succeeded, though the kernel killed one of its processes for want of memory."
        return Verdict(Outcome.SUCCEEDED, text, hint=_MORE_MEMORY)
    caught = _traceback(lines)
    more = f" Its log has an exception that it caught: {caught}" if caught else ""
    return Verdict(Outcome.SUCCEEDED, f"Succeeded.{more}")


def _failed_jobs(jobs: Sequence[SparkJob]) -> list[str]:
    """The Spark jobs that failed and were not done again with success: the same action, of as many tasks, later."""
    last = {(job.name, step_name(job), job.num_tasks): job for job in sorted(jobs, key=lambda job: job.job_id)}
    failed = [job for job in last.values() if job.status == "FAILED"]
    return [f"job {job.job_id}: {step_name(job) or plain(job.name, 80)}" for job in failed]


def _failed_in_log(lines: list[str]) -> list[str]:
    """The same from Spark's own log where it says so, at level INFO: for a driver that nobody asked in time."""
    ends = [(at, found) for at, line in enumerate(lines) if (found := _JOB_END.match(line))]
    last = {found[3]: found for _, found in ends}
    failed = [f"job {found[1]}: {plain(name, 80)}" for name, found in last.items() if found[2] == "failed"]
    aborted = max((at for at, line in enumerate(lines) if _ABORTED in line), default=None)
    if failed or aborted is None or not any(_STOPPING in line for line in lines[aborted:]):
        return failed
    return [] if any(at > aborted for at, _ in ends) else ["the last one"]


def _uncaught(lines: list[str]) -> str | None:
    """The exception that ended the driver: Java's in its main thread, or Python's as the last thing that it printed,
    from its top on, and without a logger's line above it."""
    if any(line.startswith(_IN_MAIN) for line in lines):
        return _java(lines)
    start = max((at for at, line in enumerate(lines) if line == _TRACEBACK), default=None)
    if start is None or not "".join(lines[start + 1 : start + 2]).endswith(", in <module>"):
        return None
    first = start
    while first and lines[first - 1] in _CHAINED and _TRACEBACK in lines[:first]:
        first = max(at for at in range(first) if lines[at] == _TRACEBACK)
    above = lines[first - 1] if first else ""
    was_logged = _LOGGED.search(above) is not None and not _SPARK_LOG.match(above)
    after = lines[_block_end(lines, start) :]
    said = "\n".join(after)
    went_on = _STOPPING in said and _BY_ITSELF not in said
    return None if was_logged or went_on or not all(map(_SPARK_LOG.match, after)) else _traceback(lines)


def _block_end(lines: list[str], start: int) -> int:
    """The line below a traceback and what Java says of it."""
    index = _exception_after(lines, start)[0] + 1
    java = [at for at in range(index, len(lines)) if lines[at].startswith(("\tat ", "\t... "))]
    return java[-1] + 1 if java else index


_SWALLOWED_HINT = "The application seems to hide its errors: look at its log before you trust its results."

# What the log says. A line counts only if its form is that of an error, never because a word stands in it.

_PYTHON_EXCEPTION = re.compile(r"^(?:[A-Za-z_]\w*\.)*[A-Za-z_]\w*(?:: .*|:)?$")
_TRACEBACK = "Traceback (most recent call last):"
_JAVA_EXCEPTION = re.compile(r'^Exception in thread "[^"]*" (.+)$')
_IN_MAIN = 'Exception in thread "main" '
_CAUSED_BY = re.compile(r"^Caused by: (.+)$")
_PY4J_CAUSE = re.compile(r"^: ((?:[a-z_]\w*\.)+[A-Z][\w$]*.*)$")
_ERROR_BLOCK = re.compile(r"^ERROR: \S")
_JOB_END = re.compile(r"^\S+ \S+ INFO DAGScheduler: Job (\d+) (failed|finished): (.*), took ")
_CHAINED = (
    "During handling of the above exception, another exception occurred:",
    "The above exception was the direct cause of the following exception:",
)
_LOGGED = re.compile(r"\b(?:ERROR|CRITICAL|FATAL|WARNING|WARN|INFO|DEBUG)\b", re.IGNORECASE)
_ABORTED = "Job aborted due to stage failure"
# What Spark says when it is stopped, and when nobody but the end of the process did so.
_STOPPING, _BY_ITSELF = "SparkContext is stopping", "Invoking stop() from shutdown hook"
_SPARK_LOG = re.compile(r"^\d\d(?:\d\d)?[/-]\d\d[/-]\d\d[ T]\d\d:\d\d:\d\d\S* +([A-Z]+) ")
_SUBMIT_ERROR = re.compile(r"^(?:Error: \S|\S+: error: \S|\S*(?:python|bash|sh|exec)[\d.]*: \S)")
_BLOCK_LINES = 6


def find_reason(lines: Sequence[str]) -> str | None:
    """The line of a failed run's log that says why, at most 400 characters; None if none has such a form.

    In this order: a job's own `ERROR: ` block, the last Python exception, the last Java one (its innermost
    `Caused by:`), spark-submit's `Error:`, any `Caused by:`, Spark's last line of level ERROR.
    """
    lines = _clean(lines)
    finders: tuple[Callable[[list[str]], str | None], ...] = (
        _error_block,
        _traceback,
        _java,
        _submit,
        _any_cause,
        _level_error,
    )
    return next((found for finder in finders if (found := finder(lines))), None)


def _clean(lines: Sequence[str]) -> list[str]:
    return [part.rstrip() for line in lines for part in split_bars(line)[0].splitlines()]


def _short(text: str) -> str:
    return plain(text, 400)


def _error_block(lines: list[str]) -> str | None:
    """The last `ERROR: ` line with the indented lines below it."""
    for start in range(len(lines) - 1, -1, -1):
        if _ERROR_BLOCK.match(lines[start]):
            block = [lines[start].removeprefix("ERROR: ")]
            for line in lines[start + 1 : start + _BLOCK_LINES]:
                if not line.startswith((" ", "\t")) or line.startswith("\tat "):
                    break
                block.append(line)
            return _short(" ".join(block))
    return None


def _traceback(lines: list[str]) -> str | None:
    """The exception of the last Python traceback that the driver printed, or what in Java caused it."""
    for start in range(len(lines) - 1, -1, -1):
        # "Exception ignored in" is Python tidying up at its end.
        if lines[start] != _TRACEBACK or (start and lines[start - 1].startswith("Exception ignored in")):
            continue
        index, text = _exception_after(lines, start)
        # A driver that is gone makes py4j complain; that says nothing of why it went.
        if text is None or "Py4JNetworkError" in text:
            continue
        if "Py4JJavaError" in text:
            # The Java side stands below, and what a worker's Python said is in there too.
            return _caused_by(lines, index, _CAUSED_BY) or _caused_by(lines, index, _PY4J_CAUSE) or _short(text)
        return _short(text)
    return None


def _exception_after(lines: list[str], start: int) -> tuple[int, str | None]:
    """The line below a traceback's indented ones; Spark's log may be mixed in."""
    for index in range(start + 1, len(lines)):
        line = lines[index]
        if not line or line.startswith((" ", "\t")) or _SPARK_LOG.match(line):
            continue
        return index, line if _PYTHON_EXCEPTION.match(line) else None
    return start, None


def _caused_by(lines: list[str], above: int, form: re.Pattern[str]) -> str | None:
    """The last line of this form below `above`; of a Python worker's traceback, the exception in it."""
    for start in range(len(lines) - 1, above, -1):
        match = form.match(lines[start])
        if match:
            inner = _exception_after(lines, start)[1] if match[1].endswith(_TRACEBACK) else None
            return _short(inner or match[1])
    return None


def _java(lines: list[str]) -> str | None:
    for start in range(len(lines) - 1, -1, -1):
        match = _JAVA_EXCEPTION.match(lines[start])
        if match:
            return _caused_by(lines, start, _CAUSED_BY) or _short(match[1])
    return None


def _submit(lines: list[str]) -> str | None:
    line = next((line for line in reversed(lines) if _SUBMIT_ERROR.match(line)), None)
    return _short(line.removeprefix("Error: ")) if line else None


def _any_cause(lines: list[str]) -> str | None:
    """For a tail that begins below the exception's first line."""
    return _caused_by(lines, -1, _CAUSED_BY)


def _level_error(lines: list[str]) -> str | None:
    for line in reversed(lines):
        match = _SPARK_LOG.match(line)
        if match and match[1] in ("ERROR", "FATAL"):
            return _short(line[match.end() :])
    return None


_HINTS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), hint)
    for pattern, hint in (
        (
            _JAVA_MEMORY.pattern,
            "Give the driver or the executors more memory, or use more and smaller partitions.",
        ),
        (
            r"exited with code 137|exit code:? 137",
            "An executor was killed, most often for want of memory: fewer cores per worker, or more memory.",
        ),
        (
            r"ExecutorLostFailure|Remote RPC client disassociated",
            "An executor was lost: look at the logs of the workers.",
        ),
        (
            r"PYTHON_VERSION_MISMATCH|Python in worker has different version",
            "Driver and workers must have the same Python: build their images together.",
        ),
        (
            r"UnsupportedClassVersionError|NoSuchMethodError|NoClassDefFoundError",
            "The JAR was built for another Scala, Spark or Java: build it for this stack.",
        ),
        (
            r"ClassNotFoundException|Failed to load class",
            "Check the class name and that the JAR holds it.",
        ),
        (
            r"Invalid Host header",
            "MLflow refuses the host name: start it with --allowed-hosts that names it.",
        ),
        (r"ModuleNotFoundError|No module named", "The image lacks this Python package: add it and rebuild."),
        (
            r"PATH_NOT_FOUND|Path does not exist|FileNotFoundException|FileNotFoundError|No such file",
            "Paths are those inside the service: see which folders are mounted there.",
        ),
        (r"Permission denied|PermissionError|AccessControlException", "Check who owns the mounted folder."),
        (r"PATH_ALREADY_EXISTS|already exists", "Remove the output, or let the job overwrite it."),
        (
            r"All masters are unresponsive|Failed to connect to master|Connection refused",
            "Something it needs does not run: sparkdeck status.",
        ),
        (r"No space left on device", "The disk is full: sparkdeck cleanup shows what can go."),
    )
)


def _hint(reason: str | None) -> str | None:
    return next((hint for pattern, hint in _HINTS if reason and pattern.search(reason)), None)
