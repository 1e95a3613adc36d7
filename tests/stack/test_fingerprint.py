"""What a project is made of: its files and those that they name."""

from __future__ import annotations

from pathlib import Path

import pytest

from tui.stack.fingerprint import fingerprint
from tui.stack.model import Stack

COMPOSE = """
include: [more/other.yaml]
services:
  a: {image: "debian:bookworm-slim", env_file: ./a.env, volumes: ["./data:/data", "./code/run.py:/run.py:ro"]}
"""


@pytest.mark.parametrize("changed", ["compose.yaml", ".env", "a.env", "more/other.yaml", "more/b.env"])
def test_a_file_that_changes_appears_or_goes_is_noticed(tmp_path: Path, changed: str) -> None:
    for folder in ("more", "data"):
        (tmp_path / folder).mkdir()
    (tmp_path / "compose.yaml").write_text(COMPOSE)
    (tmp_path / "more/other.yaml").write_text("services: {b: {image: y, env_file: [b.env]}}")
    stack = Stack("test", tmp_path, (tmp_path / "compose.yaml",), tmp_path)
    file, before = tmp_path / changed, fingerprint(stack)
    (tmp_path / "data/new").touch()
    assert fingerprint(stack) == before
    file.write_text((file.read_text() if file.is_file() else "") + "\n# more\n")
    after = fingerprint(stack)
    assert after != before
    file.unlink()
    assert fingerprint(stack) != after
