"""What the checks look at: one moment of a stack."""

from __future__ import annotations

from dataclasses import dataclass

from tui.engine.interface import EngineInfo
from tui.stack.model import Role
from tui.watch.scene import Scene


@dataclass(frozen=True)
class Situation(Scene):
    """A stack at one moment, and what runs it."""

    engine: EngineInfo

    def service_of(self, role: Role) -> str:
        """The first service with this role, empty if there is none."""
        return next(iter(self.stack.with_role(self.project, role)), "")
