"""The kinds of jobs, one module each: a new one is its module, its line here, and its keys in the layout's grammar."""

from __future__ import annotations

from tui.engine.interface import Replica
from tui.jobs.kinds import airflow, one_off, spark
from tui.jobs.kinds.kind import Kind
from tui.stack.model import JobKind

KINDS: dict[str, Kind] = {kind.name: kind for kind in (spark.Spark(), one_off.OneOff(), airflow.Airflow())}


def kind_of(run: Replica) -> Kind:
    """The kind of a run, as its labels tell; of one without them, as its command does."""
    return KINDS.get(run.labels.get("kind", ""), KINDS[JobKind.SPARK if spark.is_application(run) else JobKind.RUN])
