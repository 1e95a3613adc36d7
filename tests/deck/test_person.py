"""The deck in a real terminal, driven by keys as a person would."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(shutil.which("tmux") is None, reason="there is no tmux")
ROOT = Path(__file__).parents[2]


class Terminal:
    """A tmux window with the deck in it."""

    def __init__(self, socket: str) -> None:
        self._tmux = ["tmux", "-L", socket, "-f", "/dev/null"]

    def start(self, command: str) -> None:
        """160x48, as the budgets say."""
        environment = {**os.environ, "TERM": "xterm-256color"}
        environment.pop("TMUX", None)
        subprocess.run(
            [*self._tmux, "new-session", "-d", "-x", "160", "-y", "48", command],
            check=True,
            cwd=ROOT,
            env=environment,
        )

    def keys(self, *keys: str) -> None:
        """Presses keys."""
        subprocess.run([*self._tmux, "send-keys", *keys], check=True)

    def screen(self) -> str:
        """What is on the screen."""
        done = subprocess.run([*self._tmux, "capture-pane", "-p"], capture_output=True, text=True)
        return done.stdout

    def until(self, text: str, seconds: float = 20) -> str:
        """Waits for a text."""
        end = time.monotonic() + seconds
        while text not in (screen := self.screen()):
            assert time.monotonic() < end, f"{text!r} did not come:\n{screen}"
            time.sleep(0.1)
        return screen

    def end(self) -> None:
        """Ends this tmux server and what runs in it."""
        subprocess.run([*self._tmux, "kill-server"], capture_output=True)


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    made = Terminal(f"sparkdeck-test-{os.getpid()}")
    yield made
    made.end()


def test_a_person_at_the_deck(terminal: Terminal) -> None:
    terminal.start(f"{sys.executable} -m tests.deck.person; echo LEFT WITH $?; sleep 60")
    terminal.until("8 of 8 services well")
    terminal.until("of fd-spark-worker-1-1")
    terminal.keys("2", "Enter")
    terminal.until("▼ following")
    terminal.until("line 3 of fd-spark-worker-1-1")
    terminal.keys("k", "k")
    terminal.until("‖ paused")
    terminal.keys("G")
    terminal.until("▼ following")
    terminal.keys("Escape")
    terminal.until("fd-jupyter-1")
    terminal.keys("e")
    terminal.until("you are inside")
    terminal.keys("Enter")
    terminal.until("8 of 8 services well")
    terminal.keys("s")
    terminal.until("Logs and data stay")
    terminal.keys("y")
    terminal.until("✗ ended")
    terminal.keys("c")
    terminal.until("sparkdeck --stack flight-delay stop spark-worker-1")
    terminal.keys("Escape")
    terminal.until("fd-jupyter-1")
    terminal.until("7 of 8 services well")
    began = time.monotonic()
    terminal.keys("q")
    terminal.until("LEFT WITH 0")
    assert time.monotonic() - began < 3
