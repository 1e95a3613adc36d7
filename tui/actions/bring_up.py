"""The engine's `up`, told together with whom it waits for: it is silent while a service works that others wait for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import replace
from time import monotonic

from tui.engine.interface import Engine, EngineError, EngineGone, Progress, State
from tui.stack.model import Project, Stack
from tui.watch.ready import LOOK_AGAIN, Step, changed_within, changes, look, not_ready, wanted_services, with_needs

# Who waits is said again after so many seconds.
SAY_AGAIN = 30.0


async def bring_up(
    engine: Engine, stack: Stack, project: Project, services: Sequence[str] = (), *, recreate: bool = False
) -> AsyncGenerator[Progress | Step]:
    """Starts services (all if none is named) with what they need.

    Raises NotReady with its reason where a service failed that others wait for, else EngineError.
    """
    before = {(one.id, one.started_at) for one in await engine.replicas()}
    told: asyncio.Queue[Progress | Step | None] = asyncio.Queue()
    wanted = with_needs(project, wanted_services(project, services))

    async def up() -> None:
        try:
            async with aclosing(engine.up(services, recreate=recreate)) as steps:
                async for step in steps:
                    told.put_nowait(step)
        finally:
            told.put_nowait(None)

    async def waits() -> None:
        began, said, known = monotonic(), monotonic(), dict[str, str]()
        async with changes(engine) as changed:
            while True:
                changed.clear()
                steps = await look(engine, stack, project, wanted)
                works = {step.service for step in steps if step.replica and step.replica.state is State.RUNNING}
                again = monotonic() - said > SAY_AGAIN
                for step in steps:
                    concerned = step.service in works or any(wait.service in works for wait in step.waits)
                    # Of those that worked also how that ended.
                    if (concerned or step.service in known) and (again or known.get(step.service) != step.word):
                        known[step.service] = step.word
                        said = monotonic()
                        told.put_nowait(replace(step, seconds=said - began))
                await changed_within(changed, LOOK_AGAIN)

    action = asyncio.create_task(up(), name="bring-up")
    beside = asyncio.create_task(waits(), name="bring-up-waits")
    try:
        while (update := await told.get()) is not None:
            yield update
        await action
    except EngineGone:
        raise
    except EngineError:
        failed = [
            step
            for step in await look(engine, stack, project, wanted)
            if step.failed and (step.replica is None or (step.replica.id, step.replica.started_at) not in before)
        ]
        if not failed:
            raise
        raise await not_ready(engine, failed) from None
    finally:
        for task in (action, beside):
            task.cancel()
        await asyncio.gather(action, beside, return_exceptions=True)
