"""What every test may use: whether a Docker Engine answers; and which tests come first."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True, scope="session")
def _state_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Past runs of stacks under test are not written among the user's own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        yield


def _engine_answers() -> str | None:
    """None if an engine with compose answers, else why not."""
    if shutil.which("docker") is None:
        return "there is no docker command"
    for command in (["docker", "info"], ["docker", "compose", "version"]):
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        if done.returncode != 0:
            return f"`{' '.join(command)}` failed: {(done.stderr or done.stdout).strip().splitlines()[-1]}"
    return None


# Where whole stacks are started, the longest first: begun last, one would keep a worker busy alone at the end.
LONGEST = (
    "test_mlops",
    "test_spark_minio",
    "test_flight_delay",
    "test_processes",
    "test_wind_power",
    "test_mlops_processes",
)


def _begins(item: pytest.Item) -> tuple[int, bool]:
    name = item.path.stem
    return LONGEST.index(name) if name in LONGEST else len(LONGEST), "real" not in item.path.parts


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Tests marked for the engine are skipped without one, and say why; in CI they fail instead."""
    items.sort(key=_begins)
    marked = [item for item in items if item.get_closest_marker("engine")]
    if not marked:
        return
    why_not = _engine_answers()
    if why_not is None:
        return
    if os.environ.get("CI"):
        pytest.exit(f"CI needs a Docker Engine, but {why_not}", returncode=1)
    for item in marked:
        item.add_marker(pytest.mark.skip(reason=f"no Docker Engine: {why_not}"))
