"""`sparkdeck submit`: run a job on the cluster."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from tui.cli.arguments import Json, complete_job
from tui.cli.output import note, print_json, say
from tui.cli.session import Choice, Exit, fail, open_session, verb
from tui.cli.tell import tell_run
from tui.engine.interface import Capability
from tui.jobs import submit as jobs
from tui.jobs.find import check_files, find_job
from tui.jobs.submit import Run
from tui.stack.model import JobSpec
from tui.watch.session import Session


def pairs(values: list[str], option: str) -> dict[str, str]:
    """`KEY=VALUE` arguments as a mapping."""
    found = {}
    for value in values:
        key, sign, rest = value.partition("=")
        if not sign or not key:
            fail(Exit.USAGE, f"{option} takes KEY=VALUE, not {value!r}.")
        found[key] = rest
    return found


def caller_environment(job: JobSpec) -> dict[str, str]:
    """The variables of the caller's environment that the job itself names, so that `TASKS=load` works."""
    return {name: os.environ[name] for name in job.env if name in os.environ}


async def submit_job(session: Session, job: JobSpec, args: list[str], conf: dict[str, str], env: dict[str, str]) -> Run:
    """Prepares, checks and submits a job, saying what it does."""
    await jobs.check_running(session.engine, session.stack, session.project, job)
    prepared = await jobs.prepare(session.engine, job)
    for line in prepared.splitlines():
        note(f"  {line}")
    check_files(session.engine.info, session.project, job)
    given = {**caller_environment(job), **env}
    run = await jobs.submit(session.engine, session.project, job, args, conf=conf, env=given, told=note)
    where = f" to {job.conf['spark.master']}" if "spark.master" in job.conf and "spark.master" not in conf else ""
    note(f"submitted {run.id}{where}; it goes on if you leave. Find it again: sparkdeck jobs {run.id}")
    return run


@verb
async def submit(
    context: typer.Context,
    job: Annotated[
        str | None,
        typer.Argument(
            help="A job of the layout, or a .py or .jar file: of this machine, else in /apps.",
            autocompletion=complete_job,
        ),
    ] = None,
    main_class: Annotated[str | None, typer.Option("--class", help="The JAR's class to run.")] = None,
    conf: Annotated[
        list[str] | None, typer.Option("--conf", metavar="KEY=VALUE", help="A Spark setting, or one of a DAG run.")
    ] = None,
    env: Annotated[
        list[str] | None, typer.Option("--env", metavar="KEY=VALUE", help="A variable for the driver.")
    ] = None,
    along: Annotated[
        list[str] | None, typer.Option("--with", metavar="FILE", help="A file that the .py or .jar needs.")
    ] = None,
    detach: Annotated[bool, typer.Option("--detach", "-d", help="Do not follow it.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Show the driver's log too.")] = False,
    as_json: Json = False,
) -> int:
    """Run a job and follow it.

    Its arguments come after `--`. The exit code is the job's.
    """
    async with open_session(context, Capability.RUNS) as session:
        spec = find_job(session.stack, session.project, job, main_class, along=along or [])
        args = Choice.of(context).rest
        run = await submit_job(session, spec, args, pairs(conf or [], "--conf"), pairs(env or [], "--env"))
        code: int = Exit.OK
        ended = None
        if not detach:
            code, ended = await tell_run(session, run, verbose=verbose)
    if as_json:
        print_json(
            {
                "run": run.id,
                "job": run.job,
                "exit_code": ended.exit_code if ended else None,
                "outcome": ended.verdict.outcome if ended else None,
                "reason": ended.verdict.reason if ended else None,
                "seconds": ended.seconds if ended else None,
            }
        )
    elif detach:
        say(run.id)
    return code
