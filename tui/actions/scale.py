"""Scaling the workers: added ones register, taken ones finish their running tasks first."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator

from tui.actions.registered import LOOK_SECONDS, registered
from tui.actions.start import Note, Phase, Refused, StartUpdate
from tui.clients.http import ClientError
from tui.clients.spark_master import Worker
from tui.clients.spark_worker import WorkerClient
from tui.engine.interface import Engine, Replica, State
from tui.stack.model import Project, ScaleSpec, Stack
from tui.watch.cluster import master_state
from tui.watch.links import master_url, worker_of
from tui.watch.names import short_name
from tui.watch.ready import wait_ready


def scale_spec(stack: Stack, project: Project) -> ScaleSpec:
    """The layout's scaling, checked. Raises Refused where the stack has nothing to scale."""
    spec = stack.layout.scale if stack.layout else None
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
    extra = [replica for replica in replicas if replica.service == spec.service and replica.state is State.RUNNING]
    running = {replica.service: replica for replica in replicas if replica.state is State.RUNNING}
    fixed = spec.fixed[:count]
    wanted_extra = max(0, count - len(spec.fixed))

    leaving = sorted(extra, key=lambda replica: replica.number, reverse=True)[: max(0, len(extra) - wanted_extra)]
    leaving_fixed = [running[name] for name in reversed(spec.fixed[count:]) if name in running]
    if leaving or leaving_fixed:
        yield Phase(f"Draining {', '.join(short_name(replica, project) for replica in [*leaving, *leaving_fixed])}")
        async for note in _drain(engine, stack, project, [*leaving, *leaving_fixed], timeout):
            yield note

    starting = [name for name in fixed if name not in running]
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
    if len(extra) < wanted_extra or starting:
        waited = [*starting, *([spec.service] if len(extra) < wanted_extra else [])]
        async for step in wait_ready(engine, stack, project, waited):
            yield step
    async for step in registered(engine, stack, project, count):
        yield step


async def _drain(
    engine: Engine, stack: Stack, project: Project, leaving: list[Replica], timeout: float
) -> AsyncGenerator[Note]:
    began = time.monotonic()
    for replica in leaving:
        await engine.signal(replica.id, "PWR")
    said: dict[str, int | None] = {}
    while leaving:
        replicas = await engine.replicas()
        running = {replica.id for replica in replicas if replica.state is State.RUNNING}
        url = master_url(stack, project, replicas)
        state = await master_state(stack, project, replicas)
        if url is None or state is None:
            yield Note("The Spark master does not answer: nothing can be running on its workers.")
            return
        busy = []
        for replica in leaving:
            cores = await _cores_in_use(url, worker_of(replica, state)) if replica.id in running else 0
            if cores == 0:
                continue
            busy.append(replica)
            if cores is not None and said.get(replica.id) != cores:
                said[replica.id] = cores
                yield Note(f"{short_name(replica, project)} still works on {cores} {'core' if cores == 1 else 'cores'}")
        leaving = busy
        if leaving and time.monotonic() - began > timeout:
            names = ", ".join(short_name(replica, project) for replica in leaving)
            raise Refused(
                f"{names} still works after {timeout:.0f} s; it takes no new tasks and was left running. "
                "Scale again to wait on, or stop it: sparkdeck stop SERVICE"
            )
        if leaving:
            await asyncio.sleep(LOOK_SECONDS)


async def _cores_in_use(url: str, worker: Worker | None) -> int | None:
    """The cores on which a leaving worker still works, by its own word; None while that cannot be known."""
    if worker is None:
        return 0
    if worker.is_alive:
        # The master has not heard of the signal yet.
        return None
    async with WorkerClient(url, worker.id) as client:
        try:
            return (await client.state()).cores_used
        except ClientError:
            return None
