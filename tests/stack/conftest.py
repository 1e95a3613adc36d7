"""A root with two bundled stacks of its own, and what docker compose said of some projects."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tui.stack import catalogue
from tui.stack.model import Project
from tui.stack.project import parse_project
from tui.stack.root import bundled_root

CONFIGS = Path(__file__).parent / "configs"


@pytest.fixture
def captured() -> Callable[[str], Project]:
    """Projects as `docker compose config --format json` printed them; their folder is /stack."""
    return lambda name: parse_project((CONFIGS / f"{name}.json").read_text("utf-8"))


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A bundled root like that of the checkout; `beta/images` is a link, as in spark-cluster."""
    root = tmp_path / "root"
    alpha, beta, layouts = root / "compose/flight-delay", root / "compose/beta", root / "layouts"
    for folder in (alpha / "images", beta, layouts):
        folder.mkdir(parents=True)
    shutil.copy(bundled_root() / "layouts/layout.schema.json", layouts)
    (alpha / "images/Dockerfile").write_text("FROM scratch\n")
    script = alpha / "images/entrypoint.sh"
    script.write_text("#!/bin/sh\n")
    script.chmod(0o755)
    (beta / "images").symlink_to("../flight-delay/images")
    for folder in (alpha, beta):
        (folder / "compose.yaml").write_text("services: {web: {image: x}}\n")
        (folder / ".env.example").write_text("# Settings\n#WORK_DIR=./work\n")
        (layouts / f"{folder.name}.yaml").write_text(
            f"name: {folder.name}\ntitle: T\nservices: {{web: {{role: app}}}}\n"
            "environment: {COMPOSE_PROJECT_NAME: project-name, HOST_UID: user-id, HOST_GID: group-id}\n"
        )
    monkeypatch.setattr(catalogue, "bundled_root", lambda: root)
    return root
