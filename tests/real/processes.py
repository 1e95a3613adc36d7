"""A stack as processes on a machine without Docker, its state and its environments in folders of a test's own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from platformdirs import user_cache_path

from tests.real.deck import Deck, copy_out


@contextmanager
def processes_of(name: str, folder: Path, **settings: str) -> Iterator[Deck]:
    """A copy of a bundled stack that is taken away afterwards. What uv has fetched before is used again."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("UV_CACHE_DIR", os.environ.get("UV_CACHE_DIR") or str(user_cache_path("uv")))
        patch.setenv("XDG_STATE_HOME", str(folder / "state"))
        patch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
        patch.setenv("DOCKER_HOST", f"unix://{folder}/no-docker.sock")
        for variable in ("DOCKER_CONTEXT", "SPARKDECK_ENGINE", "SPARKDECK_VARIANT"):
            patch.delenv(variable, raising=False)
        deck = copy_out(name, folder / name, {"COMPOSE_PROJECT_NAME": f"processes-{os.getpid()}", **settings})
        try:
            yield deck
        finally:
            deck.run("cleanup", "--yes", code=None)


def ours(deck: Deck) -> list[psutil.Process]:
    """Every living process that was started for this stack, keepers included."""
    found = []
    for process in psutil.process_iter():
        try:
            texts = [*process.cmdline(), *process.environ().values()]
            if process.pid != os.getpid() and str(deck.folder.parent) in " ".join(texts):
                found.append(process)
        except psutil.Error:
            continue
    return found


def listening(deck: Deck) -> set[str]:
    """The addresses at which its processes listen."""
    pids = {process.pid for process in ours(deck)}
    found = [one for one in psutil.net_connections("tcp") if one.pid in pids and one.status == psutil.CONN_LISTEN]
    return {one.laddr.ip.removeprefix("::ffff:") for one in found if one.laddr}
