"""An installed SparkDeck, outside any checkout: the bundled stacks come with it and work."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.real.deck import free_ports

REPO = Path(__file__).parents[2]


class Installed:
    """The unpacked wheel, run by this Python in a folder and with a home of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.site = folder / "site-packages"
        self.home = folder / "home"

    def run(self, *args: str, code: int = 0) -> str:
        environment = {**os.environ, "PYTHONPATH": str(self.site), "XDG_DATA_HOME": str(self.home)}
        done = subprocess.run(
            [sys.executable, "-c", "from tui.cli.main import run; run()", *args],
            capture_output=True,
            text=True,
            cwd=self.folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            timeout=900,
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    folder = tmp_path_factory.mktemp("installed")
    build = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--wheel-dir", str(folder), str(REPO)]
    subprocess.run(build, check=True, timeout=300)
    (wheel,) = folder.glob("*.whl")
    found = Installed(folder)
    with zipfile.ZipFile(wheel) as packed:
        names = packed.namelist()
        assert not [name for name in names if name.endswith("/.env") or "/work/" in name], "nobody's secrets or data"
    install = ["-m", "pip", "install", "-q", "--no-deps", "--target", str(found.site), str(wheel)]
    subprocess.run([sys.executable, *install], check=True, timeout=300)
    return found


def test_the_stacks_come_from_the_wheel(installed: Installed) -> None:
    stacks = json.loads(installed.run("stacks", "--json"))
    assert {stack["name"] for stack in stacks} >= {"flight-delay", "spark-cluster"}
    assert all(stack["folder"].startswith(str(installed.site)) for stack in stacks)


def test_init_copies_a_whole_stack(installed: Installed) -> None:
    target = installed.folder / "mine"
    installed.run("--stack", "spark-cluster", "init", str(target))
    for name in ("compose.yaml", "sparkdeck.yaml", ".env.example", "images/Dockerfile", "apps/example_job.py"):
        assert (target / name).is_file(), name


@pytest.mark.engine
def test_a_bundled_stack_starts_from_the_wheel(installed: Installed) -> None:
    home = installed.home / "sparkdeck" / "spark-cluster"
    home.mkdir(parents=True)
    (home / ".env").write_text(f"SPARK_MASTER_UI_PORT={free_ports(1)[0]}\nSPARK_WORKERS=1\n")
    chosen = ("--stack", "spark-cluster")
    try:
        installed.run(*chosen, "up")
        assert json.loads(installed.run(*chosen, "status", "--json"))["spark"]["workers"] == 1
        assert (home / "work" / "output").is_dir(), "what it writes is in the user's own folder"
        assert not list(installed.site.glob("tui/bundled/compose/*/work"))
    finally:
        installed.run(*chosen, "cleanup", "--yes")
