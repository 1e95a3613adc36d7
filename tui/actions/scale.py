"""Scaling the workers: added ones register, taken ones finish their running tasks first."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator

from tui.actions.registered import LOOK_SECONDS, registered
from tui.actions.start import Note, Phase, Refused, StartUpdate
from tui.checks.ports import check_ports
from tui.clients.http import ClientError
from tui.clients.spark_worker import WorkerClient
from tui.engine.interface import Engine, Replica, State
from tui.stack.model import Project, Role, ScaleSpec, Stack
from tui.watch.cluster import Cluster, Workers, master_state
from tui.watch.links import master_url
from tui.watch.names import short_name
from tui.watch.ready import wait_ready
from tui.watch.words import count


def scale_spec(stack: Stack, project: Project) -> ScaleSpec:
    """The layout's scaling, checked. Raises Refused where the stack has nothing to scale."""
    spec = stack.layout.scale
    if spec is None:
        raise Refused(f"{stack.name} says nothing of workers to scale: its layout has no `scale`.")
    name = project.services[spec.service].container_name
    if name:
        raise Refused(
            f"{spec.service} has the fixed name {name!r} (container_name), so only one of it can run. "
            f"Remove container_name from {stack.folder}."
        )
    return spec


async def scale(engine: Engine, stack: Stack, count: int, *, timeout: float = 600) -> AsyncGenerator[StartUpdate]:
    """Brings the stack to `count` workers in all. `timeout` in seconds is how long a drain may take.

    Workers go in reverse order: replicas of the scalable service first, the highest number first, then fixed
    ones. Each is drained (`spark.decommission.enabled` and SIGPWR: it takes no new task, running ones finish),
    then stopped. A drain that takes longer leaves the worker running and raises Refused.
    """
    project = await engine.project()
    spec = scale_spec(stack, project)
    if count < 1:
        raise Refused("A cluster without workers does nothing: scale to 1 or more, or take it down.")
    replicas = [replica for replica in await engine.replicas() if not replica.is_run]
    running = {replica.service: replica for replica in replicas if replica.state is State.RUNNING}
    masters = stack.with_role(project, Role.SPARK_MASTER)
    if not any(name in running for name in masters or project.services):
        raise Refused(
            f"{stack.name} has no cluster to scale: {' and '.join(masters) or 'everything'} is down. "
            "Start it: sparkdeck up"
        )
    extra = [replica for replica in replicas if replica.service == spec.service and replica.state is State.RUNNING]
    wanted_extra = max(0, count - len(spec.fixed))
    starting = [name for name in spec.fixed[:count] if name not in running]
    growing = [*starting, *([spec.service] if len(extra) < wanted_extra else [])]
    if growing and (findings := await check_ports(engine, stack, project, growing)):
        raise Refused("\n".join(str(finding) for finding in findings))

    leaving = sorted(extra, key=lambda replica: replica.number, reverse=True)[: max(0, len(extra) - wanted_extra)]
    leaving_fixed = [running[name] for name in reversed(spec.fixed[count:]) if name in running]
    if leaving or leaving_fixed:
        yield Phase(f"Draining {_names([*leaving, *leaving_fixed], project)}")
        async for note in _drain(engine, stack, project, [*leaving, *leaving_fixed], timeout):
            yield note

    if starting:
        yield Phase(f"Starting {', '.join(starting)}")
        async for progress in engine.up(starting):
            yield progress
    if len(extra) != wanted_extra:
        yield Phase(f"Scaling {spec.service} to {wanted_extra}")
        async for progress in engine.scale(spec.service, wanted_extra):
            yield progress
    if leaving_fixed:
        async for progress in engine.stop([replica.service for replica in leaving_fixed]):
            yield progress
    before = {replica.id for replica in extra}
    # By themselves: their siblings are up already.
    new = [
        replica
        for replica in await engine.replicas()
        if replica.service == spec.service and not replica.is_run and replica.id not in before
    ]
    if starting or new:
        async for step in wait_ready(engine, stack, project, starting, new):
            yield step
    async for step in registered(engine, stack, project, count):
        yield step


async def _drain(
    engine: Engine, stack: Stack, project: Project, leaving: list[Replica], timeout: float
) -> AsyncGenerator[Note]:
    """Raises Refused while it is not known that they have ended their work."""
    workers = Workers(engine, stack, project)
    replicas = await engine.replicas()
    cluster = await workers.ask(replicas, await master_state(engine, stack, project, replicas))
    unknown = [one for one in leaving if cluster.registered(one) is None]
    if unknown:
        names = _names(unknown, project)
        why = "which of its workers these are cannot be told" if cluster.state else "it does not answer"
        raise Refused(
            f"Whether {names} still works only the Spark master knows, and {why}. Nothing was stopped. "
            "Scale again when it answers; or stop the worker, which kills its running tasks: sparkdeck stop SERVICE"
        )
    began = time.monotonic()
    for replica in leaving:
        await engine.signal(replica.id, "PWR")
    said: dict[str, int | None] = {}
    while leaving:
        replicas = await engine.replicas()
        running = {replica.id for replica in replicas if replica.state is State.RUNNING}
        url = await master_url(engine, stack, project, replicas)
        now = await workers.ask(replicas, await master_state(engine, stack, project, replicas))
        # While the master is silent its workers are who they were.
        cluster = now if now.state else cluster
        busy = []
        for replica in leaving:
            cores = await _cores_in_use(url, cluster, replica) if replica.id in running else 0
            if cores == 0:
                continue
            busy.append(replica)
            if cores is not None and said.get(replica.id) != cores:
                said[replica.id] = cores
                yield Note(f"{short_name(replica, project)} still works on {count(cores, 'core')}")
        leaving = busy
        if leaving and time.monotonic() - began > timeout:
            raise Refused(
                f"{_names(leaving, project)}: after {timeout:.0f} s it still works, or nobody says that it has ended. "
                "It takes no new tasks and was left running. Scale again to wait on, or stop it: sparkdeck stop SERVICE"
            )
        if leaving:
            await asyncio.sleep(LOOK_SECONDS)


def _names(replicas: list[Replica], project: Project) -> str:
    return ", ".join(short_name(replica, project) for replica in replicas)


async def _cores_in_use(url: str | None, cluster: Cluster, replica: Replica) -> int | None:
    """The cores on which a leaving worker still works, by its own word; None while that cannot be known."""
    worker = cluster.workers.get(replica.id)
    if worker is None:
        return 0 if cluster.registered(replica) is False else None
    if worker.is_alive or url is None:
        # The master has not heard of the signal yet, or is away.
        return None
    async with WorkerClient(url, worker.id) as client:
        try:
            return (await client.state()).cores_used
        except ClientError:
            return None
