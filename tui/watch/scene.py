"""How each service is, in one place: status, deck, `up` and doctor all say what stands here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property

from tui.engine.interface import Health, Replica, State
from tui.stack.model import Project, Stack
from tui.stack.roles import one_shots
from tui.watch.cluster import Cluster
from tui.watch.dependencies import Wait, waits_of, waits_text
from tui.watch.places import in_order, placed
from tui.watch.words import DONE, DOWN, NOT_REGISTERED, end_text, is_well

# More of a health check's output says nothing in a line.
_OUTPUT = 300


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
    """One moment of a stack: its replicas, and what the Spark master says."""

    stack: Stack
    project: Project
    replicas: Sequence[Replica]
    cluster: Cluster

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
        return Condition(word, _reason(replica, word) if replica else "", waits)

    def _word(self, service: str, replica: Replica | None) -> str:
        if replica is None:
            return DOWN
        if replica.state is State.ENDED:
            return DONE if replica.exit_code == 0 and (replica.is_run or service in self.one_shots) else "ended"
        if replica.state is not State.RUNNING:
            return str(replica.state)
        if replica.is_run:
            # Its service's health check says nothing of a job.
            return "running"
        if replica.health in (Health.STARTING, Health.UNHEALTHY):
            return str(replica.health)
        if self.cluster.registered(replica) is False:
            return NOT_REGISTERED
        return "healthy" if replica.health is Health.HEALTHY else "running"


def _reason(replica: Replica, word: str) -> str:
    if word == "ended":
        return end_text(replica.exit_code, out_of_memory=replica.out_of_memory)
    if word == "unhealthy":
        return " ".join(replica.health_output.split())[:_OUTPUT] or "its health check says nothing"
    return "the Spark master does not know it" if word == NOT_REGISTERED else ""
