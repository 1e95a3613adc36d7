"""A DAG run of Airflow, as a one-off run of its service that triggers the DAG and follows it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from tui.jobs.kinds import airflow_run
from tui.jobs.kinds.kind import Kind, SubmitError
from tui.stack.model import JobKind, JobSpec, Project

# By way of bash: the entrypoint of Airflow's own image makes of every other word, python3 too, a subcommand of airflow.
_PYTHON = ("bash", "-c", 'exec "$(command -v python3 || command -v python)" "$@"', "sparkdeck", "-c")


class Airflow(Kind):
    """Our own driver marks the DAG run as failed when it is cancelled."""

    name = JobKind.AIRFLOW
    fields = ("confs",)
    conf_example = "KEY=VALUE; KEY=VALUE"
    all_well = "Airflow is up"

    def command(
        self, project: Project, job: JobSpec, run: str, args: Sequence[str], conf: Mapping[str, str]
    ) -> tuple[list[str], list[str]]:
        """Our driver, for the Python of Airflow's service."""
        if args:
            raise SubmitError(f"The DAG run {job.name} takes no arguments; its settings are --conf KEY=VALUE.")
        ports = [port.target for port in project.services[job.service].ports]
        url = f"http://{job.service}:{8080 if 8080 in ports or not ports else ports[0]}"
        settings = json.dumps({**job.conf, **conf})
        source = Path(airflow_run.__file__).read_text("utf-8")
        return [*_PYTHON, source, "--dag", job.dag, "--run", run, "--url", url, "--conf", settings], []
