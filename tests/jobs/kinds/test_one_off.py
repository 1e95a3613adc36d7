"""A one-off run: its command, and what must be up."""

from __future__ import annotations

from pathlib import Path

import pytest

from tui.jobs.kinds.kind import SubmitError
from tui.jobs.kinds.one_off import OneOff
from tui.stack.model import JobKind, JobSpec, Project, Service, Stack

NEEDS = {"db": "service_healthy", "init": "service_completed_successfully"}
SERVICES = {"job": Service("job", command=("python", "own.py"), depends_on=NEEDS), "db": Service("db")}
PROJECT = Project("p", {**SERVICES, "init": Service("init")})
COUNT = JobSpec("count", "job", kind=JobKind.RUN, command=("wc", "-l"))
OWN = JobSpec("own", "job", kind=JobKind.RUN)


def test_a_one_off_run_has_its_command_or_the_services_own() -> None:
    kind = OneOff()
    assert kind.command(PROJECT, COUNT, "count-1", ["/data/x"], {}) == (["wc", "-l"], ["/data/x"])
    assert kind.command(PROJECT, OWN, "own-1", (), {}) == ([], [])
    assert kind.command(PROJECT, OWN, "own-1", ["--fast"], {}) == ([], ["--fast"])
    with pytest.raises(SubmitError, match="its arguments stand after --"):
        kind.command(PROJECT, COUNT, "count-1", (), {"a": "b"})


def test_what_its_service_waits_for_must_be_up() -> None:
    stack = Stack("p", Path("/nowhere"), (), Path("/nowhere"))
    assert OneOff().needs(stack, PROJECT, OWN) == ["db"]
