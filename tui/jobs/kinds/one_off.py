"""A command as a one-off run of a service."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tui.jobs.kinds.kind import Kind, SubmitError
from tui.stack.model import JobKind, JobSpec, Project, Stack


class OneOff(Kind):
    """The job's command, or the service's own."""

    name = JobKind.RUN

    def command(
        self, project: Project, job: JobSpec, run: str, args: Sequence[str], conf: Mapping[str, str]
    ) -> tuple[list[str], list[str]]:
        """The command with the caller's arguments behind the job's."""
        if conf:
            text = f"--conf is for Spark and DAG runs; {job.name} runs a command: its arguments stand after --."
            raise SubmitError(text)
        return list(job.command), [*job.args, *args]

    def needs(self, stack: Stack, project: Project, job: JobSpec) -> list[str]:
        """What its service depends on; the service itself need not run."""
        needed = project.services[job.service].depends_on.items()
        return [name for name, condition in needed if condition != "service_completed_successfully"]
