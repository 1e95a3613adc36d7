"""What actions ask of the engine, each with the command lines that stand for it. Nothing here knows a screen."""

from __future__ import annotations

import asyncio
import shlex
from collections.abc import AsyncGenerator, Callable, Sequence
from pathlib import Path

from tui.actions import replicas
from tui.actions.cleanup import Folder, clean, mounted_folders
from tui.actions.cleanup import removables as found_removables
from tui.actions.down import down as down_stack
from tui.actions.replicas import Chosen
from tui.actions.start import Note, Phase, StartUpdate, start
from tui.deck.commands import Command
from tui.deck.jobform import Submission
from tui.engine.interface import Removable, Replica, State
from tui.jobs import submit as jobs
from tui.jobs.journal import history
from tui.stack.root import folder_here
from tui.watch.logs import Tagged, recent
from tui.watch.session import Session

# For health after a start or a restart, in seconds.
HEALTH = 300.0


def verb(ready: Session, *words: str) -> str:
    """The `sparkdeck` command line that does the same."""
    stack = ready.stack
    if stack.bundled:
        which = ["--stack", stack.name]
    else:
        which = [] if folder_here() == stack.folder else ["--stack", shlex.quote(str(stack.folder))]
    return " ".join(["sparkdeck", *which, *words])


def _told(ready: Session, action: str, chosen: Chosen) -> str:
    """What the engine's own tool is told; empty where there is none."""
    return " && ".join(ready.engine.commands(action, chosen.services, chosen.replicas))


def start_command(ready: Session, services: Sequence[str], *, recreate: bool = False, build: bool = False) -> Command:
    """Starting services, or all."""
    name = ", ".join(services) or ready.stack.name
    word = "Rebuild" if build else "Recreate" if recreate else "Start"
    actions = [*(["build"] if build else []), "recreate" if recreate or build else "up"]
    options = [*(["--build"] if build else []), *(["--recreate"] if recreate or build else [])]
    told = " && ".join(filter(None, (_told(ready, action, Chosen(tuple(services))) for action in actions)))
    return Command(f"{word} {name}", verb(ready, "up", *options, *services), told, tuple(services))


def start_services(
    ready: Session, services: Sequence[str], *, recreate: bool = False, build: bool = False
) -> AsyncGenerator[StartUpdate]:
    """See `start_command`."""
    return start(ready.engine, ready.stack, services, recreate=recreate, build=build, fresh=False, timeout=HEALTH)


def start_chosen_command(ready: Session, chosen: Chosen) -> Command:
    """Starting what is chosen."""
    if not chosen.replicas:
        return start_command(ready, chosen.services)
    names = chosen.names
    line, told = verb(ready, "up", *names), _told(ready, "up", chosen)
    return Command(f"Start {', '.join(names)}", line, told, tuple(chosen.all_services))


def start_chosen(ready: Session, chosen: Chosen) -> AsyncGenerator[StartUpdate]:
    """See `start_chosen_command`."""
    return replicas.start(ready.engine, ready.stack, ready.project, chosen, timeout=HEALTH)


def stop_command(ready: Session, chosen: Chosen) -> Command:
    """Stopping what is chosen."""
    names = chosen.names
    line, told = verb(ready, "stop", *names), _told(ready, "stop", chosen)
    return Command(f"Stop {', '.join(names)}", line, told, tuple(chosen.all_services))


async def stop_chosen(ready: Session, chosen: Chosen) -> AsyncGenerator[StartUpdate]:
    """See `stop_command`."""
    async for step in replicas.stop(ready.engine, chosen):
        yield step


def restart_command(ready: Session, chosen: Chosen) -> Command:
    """Restarting what is chosen."""
    names = chosen.names
    line, told = verb(ready, "restart", *names), _told(ready, "restart", chosen)
    return Command(f"Restart {', '.join(names)}", line, told, tuple(chosen.all_services))


def restart_chosen(ready: Session, chosen: Chosen) -> AsyncGenerator[StartUpdate]:
    """See `restart_command`; over when all is healthy again."""
    return replicas.restart(ready.engine, ready.stack, ready.project, chosen, timeout=HEALTH)


def down_command(ready: Session) -> Command:
    """Taking the stack down."""
    return Command(f"Take {ready.stack.name} down", verb(ready, "down"), _told(ready, "down", Chosen()))


async def down(ready: Session) -> AsyncGenerator[StartUpdate]:
    """See `down_command`."""
    async for step in down_stack(ready.engine, ready.stack, ready.project):
        yield step


def scale_command(ready: Session, count: int) -> Command:
    """Bringing the cluster to so many workers."""
    return Command(f"Scale to {count} workers", verb(ready, "scale", str(count)))


async def scale_workers(ready: Session, count: int) -> AsyncGenerator[StartUpdate]:
    """See `scale_command`; workers that go finish their tasks first."""
    from tui.actions.scale import scale

    async for update in scale(ready.engine, ready.stack, count):
        yield update


async def running_workers(ready: Session) -> int:
    """How many workers run now. Raises Refused where the stack has nothing to scale."""
    from tui.actions.scale import scale_spec

    spec = scale_spec(ready.stack, ready.project)
    names = {*spec.fixed, spec.service}
    replicas = await ready.engine.replicas()
    return sum(1 for item in replicas if item.service in names and item.state is State.RUNNING and not item.is_run)


def cancel_command(ready: Session, run: str, replica: Replica) -> Command:
    """Ending a run."""
    told = _told(ready, "cancel", Chosen(replicas=(replica,)))
    return Command(f"Cancel {run}", verb(ready, "jobs", run, "--cancel"), told)


async def cancel_run(ready: Session, run: Replica) -> AsyncGenerator[StartUpdate]:
    """See `cancel_command`: politely first, so that the driver frees its executors."""
    yield Phase("Asking the driver to end")
    await jobs.cancel(ready.engine, run)
    yield Note("ended")


def cleanup_command(ready: Session) -> Command:
    """Removing what the engine keeps of the stack."""
    return Command(f"Clean up {ready.stack.name}", verb(ready, "cleanup", "--yes"))


async def cleanup(ready: Session) -> AsyncGenerator[StartUpdate]:
    """See `cleanup_command`."""
    async for step in clean(ready.engine, ready.stack, ready.project):
        yield step


def whole_log(ready: Session, replicas: Sequence[Replica], told: Callable[[str], None]) -> AsyncGenerator[Tagged]:
    """Every line that the engine still has of these replicas, by time; `told` hears why one has none."""
    return recent(ready.engine, replicas, None, told)


async def runs(ready: Session) -> list[jobs.Run]:
    """Every run, newest first; those that the engine has forgotten too."""
    return await history(ready.engine, ready.stack)


async def app_files(ready: Session) -> list[str]:
    """The `.py` and `.jar` files in `/apps` of the service that jobs are submitted from, by name."""
    client = ready.stack.client(ready.project)
    folder = ready.project.host_path(client, "/apps") if client else None
    if folder is None:
        return []

    def look(where: Path) -> list[str]:
        if not where.is_dir():
            return []
        return sorted(f"/apps/{item.name}" for item in where.iterdir() if item.suffix in (".py", ".jar"))

    return await asyncio.to_thread(look, folder)


async def removables(ready: Session) -> tuple[list[Removable], list[Folder]]:
    """What `cleanup` would remove, and the mounted folders, which stay."""
    found = await found_removables(ready.engine, ready.stack, ready.project)
    return found, await mounted_folders(ready.stack, ready.project)


async def submit(ready: Session, made: Submission) -> AsyncGenerator[StartUpdate]:
    """Prepares, checks and submits a job; the run goes on by itself."""
    await jobs.check_running(ready.engine, ready.stack, ready.project, made.job)
    if made.job.prepare:
        yield Phase(f"Preparing: {' '.join(made.job.prepare)}")
        for line in (await jobs.prepare(ready.engine, made.job)).splitlines():
            yield Note(line)
    jobs.check_file(ready.project, made.job)
    run = await jobs.submit(ready.engine, ready.project, made.job, made.args, conf=made.conf, env=made.env)
    yield Note(f"submitted {run.id}; it goes on if you leave")
    await ready.watch.refresh()
