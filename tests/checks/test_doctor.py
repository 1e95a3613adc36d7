"""`sparkdeck doctor` on a stack where much is wrong."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.real.deck import SPARKDECK

pytestmark = pytest.mark.engine

COMPOSE = """
name: {name}
x-base: &base
  image: debian:bookworm-slim
  init: true
  stop_grace_period: 1s
services:
  bad: {{<<: *base, command: [sh, -c, "exit 3"]}}
  killed: {{<<: *base, command: [sleep, infinity]}}
  stopped: {{<<: *base, command: [sleep, infinity]}}
  sick:
    <<: *base
    command: [sleep, infinity]
    healthcheck: {{test: [CMD-SHELL, "echo no luck; exit 1"], interval: 1s, retries: 1}}
  late:
    <<: *base
    command: [sleep, infinity]
    depends_on: {{sick: {{condition: service_healthy}}}}
  again:
    <<: *base
    command: [sh, -c, "exit 1"]
    restart: always
  web: {{<<: *base, ports: [{ports}]}}
"""


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that somebody else listens on."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        yield listening.getsockname()[1]


@pytest.fixture
def folder(tmp_path: Path, taken: int) -> Iterator[Path]:
    """The stack's folder; whatever was started there is removed."""
    (tmp_path / "compose.yaml").write_text(
        COMPOSE.format(name=f"doctor-{os.getpid()}", ports=f'"127.0.0.1:{taken}:80"')
    )
    yield tmp_path
    compose(tmp_path, "down", "--timeout", "1")


def compose(folder: Path, *args: str) -> int:
    return subprocess.run(["docker", "compose", *args], cwd=folder, capture_output=True, timeout=120).returncode


def doctor(folder: Path) -> tuple[int, dict[str, Any]]:
    """Exit code and findings by service."""
    done = subprocess.run([str(SPARKDECK), "doctor", "--json"], cwd=folder, capture_output=True, text=True, timeout=60)
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, {found["service"]: found for found in json.loads(done.stdout)}


def test_each_trouble_with_its_remedy(folder: Path, taken: int) -> None:
    assert compose(folder, "up", "--detach", "bad", "killed", "stopped", "again") == 0
    assert compose(folder, "up", "--detach", "late") != 0, "it waits for the sick one in vain"
    assert compose(folder, "kill", "killed") == 0
    assert compose(folder, "stop", "stopped") == 0
    # Its first few ends are none too many.
    end = time.monotonic() + 60
    code, found = doctor(folder)
    while "again" not in found and time.monotonic() < end:
        code, found = doctor(folder)
    assert code == 1
    assert set(found) == {"bad", "killed", "sick", "late", "again", "web", "stopped"}
    assert found["bad"]["what"] == "bad ended with exit code 3."
    assert "exit code 137" in found["killed"]["what"] and "sparkdeck up killed" in found["killed"]["remedy"]
    assert found["stopped"]["what"] == "stopped was stopped." and "sparkdeck up stopped" in found["stopped"]["remedy"]
    assert found["sick"]["what"] == "sick is unhealthy: no luck"
    assert found["late"]["what"] == "late waits for sick, which is unhealthy."
    assert "again and again" in found["again"]["what"]
    assert f"Port {taken}, which web wants, is taken by " in found["web"]["what"]


def test_what_is_down_is_not_well(folder: Path) -> None:
    text = f"name: doctor-{os.getpid()}\nservices:\n  a: &base {{image: debian:bookworm-slim, command: [sleep, inf]}}\n"
    (folder / "compose.yaml").write_text(text + "  b: *base\n")
    code, found = doctor(folder)
    assert code == 1 and found[""]["what"] == f"{folder.name} is down: none of its 2 services runs."
    assert compose(folder, "up", "--detach", "a") == 0
    code, found = doctor(folder)
    assert code == 1 and {name: one["what"] for name, one in found.items()} == {"b": "b is down."}
    assert compose(folder, "up", "--detach") == 0
    assert doctor(folder) == (0, {})
    assert compose(folder, "pause", "b") == 0
    code, found = doctor(folder)
    assert code == 1 and found["b"]["what"] == "b is paused."
    assert compose(folder, "unpause", "b") == 0
