"""Levels and stack traces, as the stack's own programs print them."""

from __future__ import annotations

import pytest

from tui.watch.log_lines import continues, level


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("26/11/21 02:14:51 INFO Worker: Successfully registered with master", "info"),
        ("26/11/21 02:14:51 WARN NativeCodeLoader: Unable to load native-hadoop library", "warn"),
        ("2026-11-21 02:14:51,123 ERROR [main] org.apache.Thing - broken", "error"),
        ("ERROR:root:it broke", "error"),
        ("INFO:     127.0.0.1:4000 - GET /error HTTP/1.1 200", "info"),
        ("\x1b[32mINFO\x1b[0m:     Started server", "info"),
        ("[2026-11-21 02:14:51 +0000] [12] [INFO] Booting worker", "info"),
        ("[I 2026-11-21 02:14:51.123 ServerApp] Jupyter Server is running", "info"),
        ("[E 2026-11-21 02:14:51.123 ServerApp] Uncaught exception", "error"),
        ("W1121 02:14:51.123456 7 server.go:12] slow", "warn"),
        ('{"time": "2026", "level": "error", "msg": "INFO is not what this is"}', "error"),
        ('time="2026-11-21" level=warning msg="careful"', "warn"),
        ("Traceback (most recent call last):", "error"),
        ("2026/11/21 02:14:51 INFO mlflow.store: Creating initial tables", "info"),
        ("there is no INFORMATION here", None),
        ("we talked at some length about how many more words stand before an ERROR", None),
        ("", None),
    ],
)
def test_level(line: str, expected: str | None) -> None:
    assert level(line) == expected


JAVA = """26/11/21 02:14:51 ERROR Worker: failed
*java.lang.IllegalStateException: no
*	at org.apache.spark.Worker.main(Worker.scala:12)
*    at java.base/java.lang.Thread.run(Thread.java:833)
*Caused by: java.io.IOException: disk
*	... 12 more
26/11/21 02:14:52 INFO Worker: going on"""
PYTHON = """ERROR:root:it broke
*Traceback (most recent call last):
*  File "a.py", line 3, in <module>
*    1 / 0
*    ~~^~~
*ZeroDivisionError: division by zero
*
*During handling of the above exception, another exception occurred:
*
*Traceback (most recent call last):
*  File "a.py", line 5, in <module>
*    raise app.errors.Broken("x")
*app.errors.Broken: x
INFO:root:going on
  indented, but no part of a trace"""
ALONE = """Traceback (most recent call last):
*  File "a.py", line 3
*KeyError: 'x'
done"""


@pytest.mark.parametrize("log", [JAVA, PYTHON, ALONE])
def test_continues(log: str) -> None:
    expected = [line.startswith("*") for line in log.split("\n")]
    lines = [line.removeprefix("*") for line in log.split("\n")]
    found = []
    for number, line in enumerate(lines):

        def before(distance: int, number: int = number) -> str | None:
            return lines[number - distance] if number >= distance else None

        found.append(continues(line, before))
    assert [line for line, one, other in zip(lines, found, expected, strict=True) if one != other] == []
