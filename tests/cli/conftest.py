"""What the tests of the verbs share with those of the engine."""

from __future__ import annotations

from tests.engine.docker.conftest import project_name

__all__ = ["project_name"]
