"""How each service is, in one place: status, deck, `up` and doctor all say what stands here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property

from tui.engine.interface import Health, Replica, State
from tui.stack.model import Project, Role, Stack
from tui.stack.roles import one_shots
from tui.watch.cluster import Cluster
from tui.watch.dependencies import Wait, waits_of, waits_text
from tui.watch.places import in_order, placed
from tui.watch.words import DONE, DOWN, NOT_REGISTERED, NOT_WELL, SILENT, count, end_text, is_well

# More of a health check's output says nothing in a line.
_OUTPUT = 300
MANY_RESTARTS = 3
# What has run for so long ends no more.
STEADY = timedelta(minutes=1)
# Policies of what is to run for good, and what may be for one piece of work.
STAYS = frozenset({"always", "unless-stopped"})
MAY_END = frozenset({Role.ONE_SHOT, Role.APP, Role.SPARK_CLIENT, Role.UNKNOWN})


@dataclass(frozen=True, slots=True)
class Condition:
    """How a replica is, or a place where there is none: a word, what explains it, and whom its start waits for."""

    word: str
    reason: str = ""
    waits: tuple[Wait, ...] = ()

    @property
    def well(self) -> bool:
        """Whether all is as it should be."""
        return is_well(self.word)

    @property
    def note(self) -> str:
        """What explains the word, as of now."""
        return waits_text(self.waits, datetime.now(UTC)) if self.waits else self.reason


@dataclass(frozen=True)
class Scene:
    """One moment of a stack: its replicas, what the Spark master says, and by its id what a replica says of itself."""

    stack: Stack
    project: Project
    replicas: Sequence[Replica]
    cluster: Cluster
    says: Mapping[str, str] = field(default_factory=dict, kw_only=True)

    @cached_property
    def one_shots(self) -> frozenset[str]:
        """The services that end when their work is done."""
        return one_shots(self.project, self.stack.layout)

    def places(self) -> Mapping[str, Replica | None]:
        """What stands at each place, by the keys of panes: the project's order, then the number; runs last."""
        here = placed(self.replicas)
        return {key: here.get(key) for key in in_order(self.project, here)}

    def condition(self, service: str, replica: Replica | None) -> Condition:
        """How a replica is; None: how the place is where it should be."""
        word = self._word(service, replica)
        # In a stack that is down nobody waits.
        waiting = replica.state is State.CREATED if replica else any(not one.is_run for one in self.replicas)
        waits = waits_of(self.project.services.get(service), self.replicas) if waiting else ()
        return Condition(word, self._reason(replica, word) if replica else "", waits)

    def _word(self, service: str, replica: Replica | None) -> str:
        if replica is None:
            return DOWN
        if replica.state is State.ENDED:
            at_work = not replica.is_run and service not in self.one_shots
            return "ended" if replica.exit_code != 0 or (at_work and not self._may_end(service, replica)) else DONE
        if replica.state is not State.RUNNING:
            return str(replica.state)
        if replica.is_run:
            # Its service's health check says nothing of a job.
            return "running"
        if loops(replica):
            return "restarting"
        if replica.health in (Health.STARTING, Health.UNHEALTHY):
            return str(replica.health)
        if self.cluster.registered(replica) is False:
            return NOT_REGISTERED
        if self.cluster.silent and self.stack.role(service) is Role.SPARK_MASTER:
            return SILENT
        if self.says.get(replica.id, "").startswith(NOT_WELL):
            return "unhealthy"
        return "healthy" if replica.health is Health.HEALTHY else "running"

    def _reason(self, replica: Replica, word: str) -> str:
        if word == "ended":
            return end_text(replica.exit_code, out_of_memory=replica.out_of_memory)
        if word == "restarting" and replica.restarts:
            return f"it ends again and again ({count(replica.restarts, 'restart')})"
        if word == "unhealthy" and replica.health is not Health.UNHEALTHY:
            return self.says.get(replica.id, "")
        if word == "unhealthy":
            return " ".join(replica.health_output.split())[:_OUTPUT] or "its health check says nothing"
        if word == SILENT:
            return f"the Spark master does not answer: {self.cluster.silent}"
        return "the Spark master does not know it" if word == NOT_REGISTERED else ""

    def _may_end(self, name: str, replica: Replica) -> bool:
        """Whether its end may be that of its work, since nothing says that it is to stay: no health check, no restart,
        no page, no role of what serves."""
        service = self.project.services.get(name)
        if service is None or service.has_health_check or replica.health is not Health.NONE or service.restart in STAYS:
            return False
        role = self.stack.role(name)
        return role in MAY_END and (role is Role.SPARK_CLIENT or not service.ports)


def loops(replica: Replica) -> bool:
    """Whether a replica ends again and again, also where it runs just now."""
    if replica.restarts < MANY_RESTARTS or replica.state not in (State.RUNNING, State.RESTARTING):
        return False
    if replica.state is State.RESTARTING or replica.health is Health.STARTING:
        return True
    lasts = replica.started_at is None or datetime.now(UTC) - replica.started_at > STEADY
    return replica.health is Health.NONE and not lasts
