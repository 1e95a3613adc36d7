"""The engine away while a run is followed, as a script sees it: no line lost or doubled, the run's own exit code."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from tests.engine.docker.conftest import project_name as new_name
from tests.engine.docker.conftest import remove_project
from tests.real.deck import SPARKDECK
from tui.stack.secrets import MASK

pytestmark = [pytest.mark.engine, pytest.mark.timeout(120)]
project_name = new_name

COMPOSE = """
services:
  job:
    image: debian:bookworm-slim
    init: true
    profiles: [jobs]
    volumes: ["./gate:/gate"]
"""
LAYOUT = """
name: outage
title: Outage
services: {job: {role: app}}
jobs:
  count:
    kind: run
    service: job
    command: [bash, -c, 'for n in 1 2 3; do echo $n; done; until [ -e /gate/open ]; do sleep 0.1; done; echo 4; exit 7']
"""


class Wire:
    """A TCP port before the engine's socket, that can be cut."""

    def __init__(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self._open: set[socket.socket] = set()
        self._cut = False
        threading.Thread(target=self._serve, daemon=True).start()

    def cut(self) -> None:
        self._cut = True
        for end in list(self._open):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def mend(self) -> None:
        self._cut = False

    def _serve(self) -> None:
        while True:
            near, _ = self._listening.accept()
            if self._cut:
                near.close()
                continue
            far = socket.socket(socket.AF_UNIX)
            far.connect("/var/run/docker.sock")
            self._open |= {near, far}
            for one, other in ((near, far), (far, near)):
                threading.Thread(target=self._carry, args=(one, other), daemon=True).start()

    def _carry(self, one: socket.socket, other: socket.socket) -> None:
        with suppress(OSError):
            while data := one.recv(65536):
                other.sendall(data)
            other.shutdown(socket.SHUT_WR)
        self._open -= {one}


@pytest.fixture
def folder(tmp_path: Path, project_name: str) -> Iterator[Path]:
    (tmp_path / "compose.yaml").write_text(COMPOSE)
    (tmp_path / "sparkdeck.yaml").write_text(LAYOUT)
    (tmp_path / ".env").write_text(f"COMPOSE_PROJECT_NAME={project_name}\n")
    (tmp_path / "gate").mkdir()
    yield tmp_path
    remove_project(project_name)


def read_until(text: str, told: subprocess.Popen[str]) -> None:
    assert told.stderr
    notes = ""
    while text not in " ".join(notes.split()):
        line = told.stderr.readline()
        assert line, notes
        notes += line


def test_a_run_is_followed_over_an_outage(folder: Path, tmp_path: Path) -> None:
    wire = Wire()
    env = {**os.environ, "DOCKER_HOST": f"tcp://127.0.0.1:{wire.port}", "XDG_STATE_HOME": str(tmp_path / "state")}
    with ExitStack() as ends:

        def sparkdeck(*words: str) -> subprocess.Popen[str]:
            started = subprocess.Popen(
                ["timeout", "60", str(SPARKDECK), *words],
                cwd=folder,
                env=env,
                text=True,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
            return ends.enter_context(started)

        followers = []
        # Somebody else takes the same run up.
        for words in (("submit", "count", "--", "--token=hunter2", "redis://:hunter2@cache"), ("jobs", "count")):
            told = sparkdeck(*words)
            followers.append(told)
            assert told.stdout and told.stderr
            first = [told.stdout.readline() for _ in range(3)]
            assert first == ["1\n", "2\n", "3\n"], told.stderr.read()
        wire.cut()
        for told in followers:
            read_until("Waiting until the engine is back", told)
        (folder / "gate" / "open").touch()
        wire.mend()
        for told in followers:
            out, err = told.communicate()
            assert out == "4\n" and told.returncode == 7
            assert "The engine is back." in err and "Failed with exit code 7" in err
        out, _ = sparkdeck("jobs", "--json").communicate()
        (run,) = json.loads(out)
        assert (run["exit_code"], run["verdict"]) == (7, "Failed with exit code 7.") and "hunter2" not in out
        assert run["args"] == [f"--token={MASK}", f"redis://:{MASK}@cache"]
