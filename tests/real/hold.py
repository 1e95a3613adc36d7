"""A job that keeps every core busy for as long as it is told, and what the tests of the real stacks ask of them."""

from __future__ import annotations

import json
import subprocess
import time
import urllib.request
from collections.abc import Callable
from functools import cache
from typing import Any

from tests.real.deck import Deck

HOLD = """
import sys, time
from pyspark.sql import SparkSession
tasks, seconds = int(sys.argv[1]), float(sys.argv[2])
spark = SparkSession.builder.appName("hold").getOrCreate()
spark.sparkContext.setJobGroup("hold", "hold every core")
def hold(x):
    time.sleep(seconds)
    return x
print("SUM", spark.sparkContext.range(tasks, numSlices=tasks).map(hold).sum(), flush=True)
"""


def until(what: str, true: Callable[[], bool], seconds: float = 90) -> None:
    """Waits for a state."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, f"not within {seconds} s: {what}"
        time.sleep(0.3)


def heard(verb: subprocess.Popen[str], words: str) -> str:
    """What a started verb printed up to the line with these words, or to its end."""
    assert verb.stdout is not None
    seen = ""
    for line in verb.stdout:
        seen += line
        if words in line:
            break
    return seen


def spark(deck: Deck) -> dict[str, Any]:
    found: dict[str, Any] = deck.json("status", code=None)["spark"]
    return found


@cache
def _master_page(deck: Deck) -> str:
    """Its port is in `.env`, or stays its own for as long as the stack is up: asked for once, not at every look."""
    return deck.run("open", "spark-master", "--print").stdout.split()[0]


def master(deck: Deck) -> Any:
    with urllib.request.urlopen(_master_page(deck) + "json/", timeout=10) as answer:
        return json.load(answer)


def running_hold(deck: Deck) -> Any:
    """The hold application once it really works on every core it has, else None."""
    return next((app for app in master(deck)["activeapps"] if app["name"] == "hold" and app["cores"] > 0), None)


def metrics(deck: Deck, name: str = "flight-delay") -> dict[str, Any]:
    found: dict[str, Any] = json.loads((deck.work / "output" / name / "metrics.json").read_text())
    return found
