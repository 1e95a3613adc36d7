"""Driving SparkDeck as a person would: a copied-out stack, and the installed command on it."""

from __future__ import annotations

import json
import os
import random
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tui.engine.process.spark import QUICK_JAVA

SPARKDECK = Path(sys.executable).with_name("sparkdeck")


def free_ports(count: int) -> list[int]:
    """Loopback ports that nobody listens on; all held at once, so that they differ.

    Below those that the kernel gives to outgoing connections, and of each test worker's own thousands, so that nobody
    takes one between this look and the start of what shall have it.
    """
    first = 14_000 + 6_000 * int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    probes: list[socket.socket] = []
    try:
        for port in random.sample(range(first, first + 6_000), 6_000):
            probe = socket.socket()
            probes.append(probe)
            with suppress(OSError):
                probe.bind(("127.0.0.1", port))
            if probe.getsockname()[1] == 0:
                probes.pop().close()
            elif len(probes) == count:
                break
        return [probe.getsockname()[1] for probe in probes]
    finally:
        for probe in probes:
            probe.close()


@dataclass(frozen=True)
class Deck:
    """A stack in a folder of its own and the command line on it."""

    folder: Path

    def command(self, *args: str) -> list[str]:
        return [str(SPARKDECK), "--stack", str(self.folder), *args]

    def run(
        self, *args: str, code: int | None = 0, timeout: float = 600, **env: str
    ) -> subprocess.CompletedProcess[str]:
        """Runs a verb to its end; its exit code must be `code` unless that is None."""
        done = subprocess.run(
            self.command(*args),
            capture_output=True,
            text=True,
            timeout=timeout,
            stdin=subprocess.DEVNULL,
            env={**os.environ, **env},
        )
        assert "Traceback" not in done.stderr, done.stderr
        if code is not None:
            assert done.returncode == code, f"{args}: {done.returncode}\n{done.stdout[-6000:]}\n{done.stderr[-6000:]}"
        return done

    def json(self, *args: str, code: int | None = 0) -> Any:
        return json.loads(self.run(*args, "--json", code=code).stdout)

    def links(self, *args: str, seconds: float = 60) -> list[dict[str, Any]]:
        """Every page with its address: a busy master's answer is waited for."""
        end = time.monotonic() + seconds
        while True:
            links: list[dict[str, Any]] = self.json("open", *args)
            lost = {link["replica"]: link["why_not"] for link in links if link["url"] is None}
            if not lost:
                return links
            assert time.monotonic() < end, f"pages without an address: {lost}"
            time.sleep(1)

    def start(self, *args: str) -> subprocess.Popen[str]:
        """Starts a verb and leaves it running."""
        return subprocess.Popen(
            self.command(*args), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True
        )

    @property
    def work(self) -> Path:
        return self.folder / "work"


def copy_out(name: str, folder: Path, settings: dict[str, str]) -> Deck:
    """`sparkdeck init` of a bundled stack, with settings of its own in `.env`."""
    subprocess.run([str(SPARKDECK), "--stack", name, "init", str(folder)], check=True, capture_output=True)
    (folder / ".env").write_text("".join(f"{key}={value}\n" for key, value in settings.items()))
    if (defaults := folder / "spark-defaults.conf").exists():
        defaults.write_text(defaults.read_text() + QUICK)
    return Deck(folder)


# Not the user who runs the tests: what containers write must belong to whom `.env` names.
OWNER = 1234

SMALL = {
    "SPARK_WORKER_MEMORY": "1G",
    "SPARK_WORKER_CORES": "1",
    "SPARK_DRIVER_MEMORY": "1g",
    "SPARK_EXECUTOR_MEMORY": "700m",
}

# The jobs here are short: most of their time Java's second compiler took, for code that has run when it is ready.
QUICK = "".join(f"\nspark.{part}.extraJavaOptions {QUICK_JAVA}\n" for part in ("driver", "executor"))

# One executor, where nothing depends on how many: on two cores each more costs its own start.
NARROW = ["--conf", "spark.cores.max=1"]


def flight_delay_settings(name: str, **more: str) -> dict[str, str]:
    """A `.env` with free ports and small workers."""
    ports = [str(port) for port in free_ports(9)]
    names = ["SPARK_MASTER_UI_PORT", "SPARK_MASTER_RPC_PORT", "MLFLOW_PORT", "JUPYTER_PORT", "NOTEBOOK_UI_PORTS"]
    names += [f"SPARK_WORKER_{number}_UI_PORT" for number in (1, 2, 3, 4)]
    settings = dict(zip(names, ports, strict=True))
    first = int(settings["NOTEBOOK_UI_PORTS"])
    settings["NOTEBOOK_UI_PORTS"] = f"{first}-{first + 10}"
    return {"COMPOSE_PROJECT_NAME": f"{name}-{os.getpid()}", **SMALL, **settings, **more}


def owned_folders(deck: Deck, *names: str) -> None:
    """The mounted folders as that user would have made them."""
    for name in names:
        folder = deck.work / name
        folder.mkdir(parents=True)
        os.chown(folder, OWNER, OWNER)


@contextmanager
def taken_away(deck: Deck) -> Iterator[Deck]:
    """Gives a deck to the tests and leaves nothing of it behind."""
    try:
        yield deck
    finally:
        deck.run("cleanup", "--yes", code=None)
