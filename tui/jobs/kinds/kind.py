"""What a kind of job has to say about itself. The rest of the program knows no kind by name."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from tui.clients.spark_app import SparkJob
from tui.clients.spark_master import MasterState
from tui.engine.interface import Reach, Replica
from tui.jobs.progress import RunProgress
from tui.stack.model import JobKind, JobSpec, Project, Service, Stack
from tui.watch.queued import QueuedReason


class SubmitError(Exception):
    """A job cannot be submitted. The text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Started:
    """The run's application is known to the Spark master; `url` is its page."""

    app_id: str
    url: str


Seen = Started | RunProgress | QueuedReason


class Observer(Protocol):
    """Somebody who sees more of a run than its log. `jobs` are the Spark jobs of the last look."""

    jobs: Sequence[SparkJob]

    async def look(self) -> Sequence[Seen]:
        """What is new. Raises ClientError while nobody answers."""

    async def close(self) -> None:
        """Ends it."""


class Kind(ABC):
    """One kind of job."""

    name: JobKind
    fields: tuple[str, ...] = ("args",)
    """Those of the submit form that it has."""
    conf_example = ""
    all_well = "what its service needs is up"
    grace_seconds = 20.0
    """How long a run that is cancelled may take to end in order, before it is ended by force."""
    has_driver = False
    """Whether a run has a driver that starts before it does anything."""

    @abstractmethod
    def command(
        self, project: Project, job: JobSpec, run: str, args: Sequence[str], conf: Mapping[str, str]
    ) -> tuple[list[str], list[str]]:
        """The command of a run in the job's service, empty for the service's own, and the arguments after it.

        Raises SubmitError for what does not fit.
        """

    def needs(self, stack: Stack, project: Project, job: JobSpec) -> Iterable[str]:
        """The services that must be up."""
        return [job.service]

    def conf_of(self, fields: Mapping[str, str]) -> dict[str, str]:
        """The settings that the form's own fields stand for. Raises SubmitError."""
        return {}

    def fields_of(self, conf: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
        """Those settings as fields again, and the others."""
        return {}, dict(conf)

    def default(self, field: str, service: Service | None) -> str:
        """What stands for a field that is left empty; nothing where the form itself knows."""
        return ""

    def room(self, service: Service | None, conf: Mapping[str, str], master: MasterState) -> list[str]:
        """What on the cluster speaks against a run with these settings. Raises SubmitError."""
        return []

    async def observe(
        self, engine: Reach, stack: Stack, project: Project, replicas: Sequence[Replica], run: Replica
    ) -> Observer | None:
        """Somebody to look at a run, where there is more to see than its log."""
        return None
