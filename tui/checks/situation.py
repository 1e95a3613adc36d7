"""What the checks look at: one moment of a stack."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tui.clients.spark_master import MasterState
from tui.engine.interface import EngineInfo, Replica
from tui.stack.model import Project, Role, Stack


@dataclass(frozen=True, slots=True)
class Situation:
    """A stack at one moment. `master` is None where there is no Spark master or it does not answer."""

    stack: Stack
    project: Project
    engine: EngineInfo
    replicas: Sequence[Replica]
    master: MasterState | None

    def service_of(self, role: Role) -> str:
        """The first service with this role, empty if there is none."""
        layout = self.stack.layout
        return next((name for name in self.project.services if layout and layout.service(name).role is role), "")
