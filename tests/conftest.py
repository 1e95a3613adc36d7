"""What every test may use: whether a Docker Engine answers; and which tests share what they start."""

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


# Fixtures that start a whole stack, the longest first: all tests of one run on one worker, and before the others.
STACKS = ("flight_delay", "spark_minio", "wind_power", "mlops", "spark_cluster")


def _group(item: pytest.Item) -> str:
    """The tests that share what they start: a stack's, those of tests/jobs with their Spark, else a module's."""
    names = getattr(item, "fixturenames", ())
    stack = next((name for name in STACKS if name in names and "stacks" in item.path.parts), None)
    return stack or ("jobs" if item.path.parent.name == "jobs" else item.path.stem)


# Before xdist reads the groups.
@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Tests marked for the engine are skipped without one, and say why; in CI they fail instead."""
    for item in items:
        item.add_marker(pytest.mark.xdist_group(_group(item)))
    items.sort(key=lambda item: "stacks" not in item.path.parts)
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
