"""Starting a stack: settings, folders, images, services, health, workers."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from tui.actions.bring_up import bring_up
from tui.actions.registered import registered
from tui.checks.ports import check_ports
from tui.engine.interface import Engine, Progress
from tui.stack.environment import create_folders, has_data, prepare_environment
from tui.stack.model import Project, Stack
from tui.watch.ready import CHOOSE_PROFILE, Step, all_behind_profiles, wait_ready, wanted_services, with_needs


class Refused(Exception):
    """The stack cannot be started as it is. The text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Phase:
    """A part of an action begins."""

    title: str


@dataclass(frozen=True, slots=True)
class Note:
    """Something that was done on the way and that the user should know."""

    text: str


StartUpdate = Phase | Note | Progress | Step


async def prepare(engine: Engine, stack: Stack) -> list[str]:
    """Makes the stack's `.env` and its mounted folders where they are missing; says what it made.

    Must come before any container: without its own folders' owner, it could not write what its user can read.
    """
    done = prepare_environment(stack, await engine.owner())
    made = create_folders(stack, await engine.project())
    if made:
        done.append(f"Made the folders {', '.join(str(folder) for folder in made)}")
    return done


async def start(
    engine: Engine,
    stack: Stack,
    services: Sequence[str] = (),
    *,
    build: bool = False,
    fresh: bool = False,
    recreate: bool = False,
    wait: bool = True,
    timeout: float = 300,
) -> AsyncGenerator[StartUpdate]:
    """Brings services (all if none is named) up and says each step. `timeout` in seconds is for their health.

    Raises Refused before anything was started, EngineError when the engine could not, NotReady afterwards.
    """
    project = await engine.project()
    _validate(stack, project, services)
    _demand_data(stack, project, services)
    findings = await check_ports(engine, stack, project, services)
    if findings:
        raise Refused("\n".join(str(finding) for finding in findings))
    for text in await prepare(engine, stack):
        yield Note(text)
    # What was made may be settings.
    project = await engine.project()
    if build:
        yield Phase("Building")
        async for progress in engine.build(services, fresh=fresh):
            yield progress
    yield Phase("Starting services")
    async with aclosing(bring_up(engine, stack, project, services, recreate=recreate)) as updates:
        async for update in updates:
            yield update
    if wait:
        yield Phase("Waiting for health")
        async for step in wait_ready(engine, stack, project, services, timeout=timeout):
            yield step
        async for step in registered(engine, stack, project, timeout=timeout):
            yield step


def _demand_data(stack: Stack, project: Project, services: Sequence[str]) -> None:
    spec = stack.layout.data
    if spec is None or not spec.before_start or has_data(project, spec):
        return
    if spec.service in {one.name for one in with_needs(project, wanted_services(project, services))}:
        folder = project.host_path(spec.service, spec.folder) or spec.folder
        raise Refused(
            f"{spec.service} needs data in {folder}, and there is none. "
            "sparkdeck data makes a sample; or put your own files there."
        )


def _validate(stack: Stack, project: Project, services: Sequence[str]) -> None:
    problems = [
        f"{stack.name} has no service {name!r}. It has: {', '.join(project.services)}."
        for name in services
        if name not in project.services
    ]
    if not services and (behind := all_behind_profiles(stack, project)):
        problems.append(f"{behind} {CHOOSE_PROFILE}")
    if problems:
        raise Refused("\n".join(problems))
