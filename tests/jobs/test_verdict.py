"""How runs ended, from real logs of Spark 3.5.9 and from lines in the form that Spark and Python give them."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from tui.clients.spark_app import SparkJob
from tui.jobs.verdict import Outcome, Verdict, find_reason, verdict

CAPTURES = Path(__file__).parent / "captures"
JOBS = msgspec.json.decode(
    (Path(__file__).parents[1] / "clients" / "captures" / "sp35-jobs.json").read_bytes(), type=tuple[SparkJob, ...]
)


def log(name: str) -> list[str]:
    return (CAPTURES / f"{name}.txt").read_bytes().decode().split("\n")


@pytest.mark.parametrize(
    ("name", "code", "reason", "hint"),
    [
        ("spark359-rdd", 1, "ValueError: row 0 has no date", None),
        ("spark359-udf", 1, "ZeroDivisionError: integer division or modulo by zero", None),
        ("spark359-path", 1, "[PATH_NOT_FOUND] Path does not exist: file:/nosuch/flights.csv", "inside the service"),
        ("spark359-class", 101, "Failed to load class com.x.Nope.", "class name"),
        ("spark359-nofile", 2, "can't open file '/nosuch.py'", "inside the service"),
    ],
)
def test_real_failures(name: str, code: int, reason: str, hint: str | None) -> None:
    found = verdict(code, log_tail=log(name))
    assert found.outcome is Outcome.FAILED and not found.ok
    assert found.reason is not None and reason in found.reason
    assert reason in found.text and str(code) in found.text
    assert (found.hint is None) if hint is None else (found.hint is not None and hint in found.hint)


def test_a_tail_that_begins_in_the_middle_of_the_exception() -> None:
    lines = log("spark359-rdd")
    head = max(index for index, line in enumerate(lines) if line == "Traceback (most recent call last):")
    assert find_reason(lines[head + 8 :]) == "ValueError: row 0 has no date"


def test_a_real_success_whose_name_sounds_like_an_error() -> None:
    assert any("ERROR: Traceback counter" in line for line in log("spark359-good"))
    assert verdict(0, log_tail=log("spark359-good"), jobs=JOBS[1:]) == Verdict(Outcome.SUCCEEDED, "Succeeded.")


def test_a_real_failure_that_was_swallowed() -> None:
    found = verdict(0, log_tail=log("spark359-swallow"))
    assert found.outcome is Outcome.SWALLOWED and not found.ok
    assert found.reason == "ValueError: row 0 has no date"


def jobs_of(name: str) -> tuple[SparkJob, ...]:
    return msgspec.json.decode((CAPTURES / f"spark359-{name}.json").read_bytes(), type=tuple[SparkJob, ...])


@pytest.mark.parametrize(
    ("name", "jobs", "caught"),
    [
        # Python's logging twice, in the middle and as the last thing of all; a Spark job done again with success.
        ("handled", (), "No such file or directory: '/nosuch/report.txt'"),
        ("retried", (), "ValueError: row 3 has no date"),
        ("retried", jobs_of("jobs-again"), "ValueError: row 3 has no date"),
    ],
)
def test_a_real_exception_that_was_handled_is_no_failure(name: str, jobs: tuple[SparkJob, ...], caught: str) -> None:
    found = verdict(0, log_tail=log(f"spark359-{name}"), jobs=jobs)
    assert found.outcome is Outcome.SUCCEEDED and caught in found.text


def test_a_real_spark_job_that_was_not_done_again() -> None:
    found = verdict(0, log_tail=log("spark359-unretried"), jobs=jobs_of("jobs-other"))
    assert found.outcome is Outcome.SWALLOWED
    assert "1 of 2 Spark jobs failed (job 0: count at /apps/retried.py:15)" in found.text
    assert found.reason == "ValueError: row 3 has no date"


def test_a_real_failure_whose_exit_code_was_lost() -> None:
    found = verdict(0, log_tail=log("spark359-lost"))
    assert found.outcome is Outcome.SWALLOWED
    assert found.reason is not None and "[PATH_NOT_FOUND]" in found.reason


def test_a_failure_whose_exit_code_was_lost() -> None:
    uncaught = ["Traceback (most recent call last):", '  File "/x.py", line 1, in <module>', "ValueError: no rows"]
    chained = ["", "During handling of the above exception, another exception occurred:", "", *uncaught]
    for before in (["rows: 3"], ["26/11/20 15:00:00 ERROR TaskSetManager: Task 0 failed 4 times; aborting job"], []):
        assert verdict(0, log_tail=[*before, *uncaught]).outcome is Outcome.SWALLOWED
        assert verdict(0, log_tail=[*before, *uncaught, *chained]).outcome is Outcome.SWALLOWED
    for logged in (
        "ERROR:root:no report",
        "[2026-11-20 15:00:00] {x.py:3} WARNING - no report",
        "x critical: no report",
    ):
        assert verdict(0, log_tail=[logged, *uncaught]).ok
        assert verdict(0, log_tail=[logged, *uncaught, *chained]).ok
    assert verdict(0, log_tail=[*uncaught, "and it goes on"]).ok
    assert verdict(0, log_tail=[uncaught[0], uncaught[1].replace("<module>", "f"), uncaught[2]]).ok
    java = 'Exception in thread "main" java.lang.IllegalStateException: no rows'
    assert verdict(0, log_tail=[java, "\tat x.y(Z.scala:1)"]).outcome is Outcome.SWALLOWED
    assert verdict(0, log_tail=[java.replace("main", "Thread-5"), "\tat x.y(Z.scala:1)"]).ok


def test_failed_jobs_under_exit_code_0() -> None:
    failed = replace(JOBS[3], status="FAILED", description="train: fit")
    found = verdict(0, jobs=(*JOBS[4:], failed), log_tail=["26/11/20 15:00:00 ERROR Executor: Exception in task 0.0"])
    assert found.outcome is Outcome.SWALLOWED
    assert "1 of 5 Spark jobs failed (job 4: train: fit)" in found.text
    assert found.reason == "Executor: Exception in task 0.0"
    assert verdict(0, jobs=(failed, replace(failed, job_id=99, status="SUCCEEDED"))).ok
    assert not verdict(0, jobs=(failed, replace(failed, job_id=1, status="SUCCEEDED"))).ok, "that was before"


@pytest.mark.parametrize(
    "lines",
    [
        ["26/11/20 15:00:00 INFO Job: 0 rows with ERROR: none", "26/11/20 15:00:00 WARN X: Traceback follows"],
        ["26/11/20 15:00:00 ERROR TransportClient: a connection that was tried again"],
        ["errors: 0", "ERROR_RATE: 0.2", "ValueError: is caught here", "Caused by: weather"],
        # A task that failed once and was tried again with success.
        [
            "26/11/20 15:00:00 WARN TaskSetManager: Lost task 0.0: Traceback (most recent call last):",
            "  File x",
            "V: 1",
        ],
        # Python and py4j tidying up.
        [
            "Exception ignored in: <function X.__del__ at 0x7f>",
            "Traceback (most recent call last):",
            "  File x",
            "E: 1",
        ],
        ["ERROR:root:Exception", "Traceback (most recent call last):", "  File x", "py4j.protocol.Py4JNetworkError: x"],
    ],
)
def test_no_false_alarm(lines: list[str]) -> None:
    assert verdict(0, log_tail=lines, jobs=JOBS).outcome is Outcome.SUCCEEDED


def test_a_jobs_own_message_comes_first() -> None:
    lines = [
        *log("spark359-rdd"),
        "ERROR: /data/2025.csv.gz ends in the middle (truncated gzip) at line 1,204.",
        "  Expected: a whole file. Download it again.",
        "26/11/20 15:00:00 INFO ShutdownHookManager: Shutdown hook called",
    ]
    found = verdict(2, log_tail=lines)
    assert found.reason == (
        "/data/2025.csv.gz ends in the middle (truncated gzip) at line 1,204. "
        "Expected: a whole file. Download it again."
    )


def test_a_scala_job() -> None:
    lines = [
        'Exception in thread "main" org.apache.spark.SparkException: Job aborted due to stage failure: Task 0 failed',
        "\tat org.apache.spark.scheduler.DAGScheduler.abortStage(DAGScheduler.scala:2856)",
        "Caused by: java.io.IOException: wrapped",
        "\tat x.y(Z.scala:1)",
        "Caused by: java.lang.NoSuchMethodError: 'scala.collection.immutable.Seq scala.Predef$.wrap()'",
        "\t... 8 more",
        "26/11/20 15:00:00 INFO ShutdownHookManager: Shutdown hook called",
    ]
    found = verdict(1, log_tail=lines)
    assert found.reason is not None and found.reason.startswith("java.lang.NoSuchMethodError")
    assert found.hint is not None and "another Scala" in found.hint


def test_a_lost_executor_points_at_memory() -> None:
    lines = [
        'Exception in thread "main" org.apache.spark.SparkException: Job aborted: ExecutorLostFailure (executor 3 '
        "exited caused by one of the running tasks) Reason: Command exited with code 137"
    ]
    found = verdict(1, log_tail=lines)
    assert found.hint is not None and "memory" in found.hint


@pytest.mark.parametrize("code", [137, -9])
def test_sigkill_may_be_memory(code: int) -> None:
    found = verdict(code)
    assert found.outcome is Outcome.KILLED
    assert "SIGKILL" in found.text and "137" in found.text
    assert found.hint is not None and "memory" in found.hint


@pytest.mark.parametrize("code", [143, -15])
def test_sigterm_is_a_stop(code: int) -> None:
    found = verdict(code, log_tail=log("spark359-good"))
    assert found.outcome is Outcome.KILLED
    assert "SIGTERM" in found.text and found.hint is None


def test_the_engines_word_on_memory_counts() -> None:
    assert verdict(137, out_of_memory=True).outcome is Outcome.OUT_OF_MEMORY
    assert verdict(1, out_of_memory=True).outcome is Outcome.OUT_OF_MEMORY
    assert verdict(0, out_of_memory=True).ok, "a worker of Python may be killed and replaced"
    assert verdict(0, out_of_memory=True).hint is not None


@pytest.mark.parametrize(
    "line",
    ['Exception in thread "main" java.lang.OutOfMemoryError: Java heap space', "ERROR: MemoryError while fitting"],
)
def test_heap_and_python_memory(line: str) -> None:
    found = verdict(1, log_tail=[line])
    assert found.outcome is Outcome.OUT_OF_MEMORY
    assert found.hint is not None and "memory" in found.hint


def test_no_exit_code_is_unknown() -> None:
    found = verdict(None, jobs=JOBS, log_tail=log("spark359-rdd"))
    assert found.outcome is Outcome.UNKNOWN and not found.ok


def test_a_failure_without_a_word() -> None:
    assert verdict(3) == Verdict(Outcome.FAILED, "Failed with exit code 3.")


def test_the_reason_is_found_behind_bars_and_made_harmless() -> None:
    lines = ["\r[Stage 0:> (0 + 4) / 8]\r\r" + " " * 80 + "\rTraceback (most recent call last):", "  File x"]
    assert find_reason([*lines, "26/11/20 15:00:00 INFO X: y", "m.MyError: \x1b[31mred"]) == "m.MyError: [31mred"
    assert len(find_reason(["ERROR: " + "x" * 100_000]) or "") <= 400


def test_a_bare_traceback_at_the_end_of_the_tail() -> None:
    assert find_reason(["Traceback (most recent call last):", "  File x"]) is None
