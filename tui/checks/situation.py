"""What the checks look at: one moment of a stack."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tui.engine.interface import EngineInfo, Replica
from tui.stack.model import Project, Role, Stack
from tui.watch.cluster import Cluster


@dataclass(frozen=True, slots=True)
class Situation:
    """A stack at one moment."""

    stack: Stack
    project: Project
    engine: EngineInfo
    replicas: Sequence[Replica]
    cluster: Cluster

    def service_of(self, role: Role) -> str:
        """The first service with this role, empty if there is none."""
        return next(iter(self.stack.with_role(self.project, role)), "")
