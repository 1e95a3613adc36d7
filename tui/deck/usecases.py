"""What actions ask of the engine: each a command that says its command lines and is what they do.

Nothing here knows a screen."""

from __future__ import annotations

import asyncio
import shlex
from collections.abc import AsyncGenerator, Callable, Sequence
from pathlib import Path

from tui.actions import replicas
from tui.actions.cleanup import Folder, clean, mounted_folders
from tui.actions.cleanup import removables as found_removables
from tui.actions.down import down as down_stack
from tui.actions.down import remove as remove_chosen
from tui.actions.replicas import Chosen
from tui.actions.scale import scale as scale_workers
from tui.actions.scale import scale_spec
from tui.actions.start import Note, Phase, StartUpdate
from tui.deck.commands import Command
from tui.deck.jobform import Form, Submission, verb_words
from tui.engine.interface import Removable, Replica, State
from tui.jobs import submit as jobs
from tui.jobs.find import check_files
from tui.jobs.journal import history
from tui.watch.logs import Tagged, recent
from tui.watch.session import Session

# For health after a start or a restart, in seconds.
HEALTH = 300.0


def verb(ready: Session, *words: str) -> str:
    """The `sparkdeck` command line with these words, for this very stack."""
    return shlex.join(["sparkdeck", *ready.stack.words, *words])


def _told(ready: Session, actions: Sequence[str], chosen: Chosen) -> str:
    """What the engine's own tool is told, action after action; empty where there is none."""
    return " && ".join(
        line for action in actions for line in ready.engine.commands(action, chosen.services, chosen.replicas)
    )


def start(ready: Session, chosen: Chosen, *, recreate: bool = False, build: bool = False) -> Command:
    """Starting what is chosen; `recreate` makes it anew, `build` builds its images first."""
    options = {"--build": build, "--recreate": recreate}
    actions = [*(["build"] if build else []), "recreate" if recreate else "up"]
    return Command(
        f"{'Rebuild' if build else 'Recreate' if recreate else 'Start'} {', '.join(chosen.names) or ready.stack.name}",
        verb(ready, "up", *(option for option, wanted in options.items() if wanted), *chosen.names),
        lambda: replicas.start(
            *(ready.engine, ready.stack, ready.project, chosen), recreate=recreate, build=build, timeout=HEALTH
        ),
        _told(ready, actions, chosen),
        tuple(chosen.all_services),
    )


def stop(ready: Session, chosen: Chosen) -> Command:
    """Stopping what is chosen."""
    return Command(
        f"Stop {', '.join(chosen.names)}",
        verb(ready, "stop", *chosen.names),
        lambda: replicas.stop(ready.engine, chosen),
        _told(ready, ["stop"], chosen),
        tuple(chosen.all_services),
    )


def restart(ready: Session, chosen: Chosen) -> Command:
    """Restarting what is chosen; over when it is healthy again."""
    return Command(
        f"Restart {', '.join(chosen.names)}",
        verb(ready, "restart", *chosen.names),
        lambda: replicas.restart(ready.engine, ready.stack, ready.project, chosen, timeout=HEALTH),
        _told(ready, ["restart"], chosen),
        tuple(chosen.all_services),
    )


def remove(ready: Session, chosen: Chosen) -> Command:
    """Stopping and removing what is chosen."""
    return Command(
        f"Remove {', '.join(chosen.names)}",
        verb(ready, "down", *chosen.names, "--yes"),
        lambda: remove_chosen(ready.engine, chosen),
        _told(ready, ["stop", "remove"], chosen),
    )


def down(ready: Session) -> Command:
    """Taking the stack down."""
    return Command(
        f"Take {ready.stack.name} down",
        verb(ready, "down", "--yes"),
        lambda: down_stack(ready.engine, ready.stack, ready.project),
        _told(ready, ["down"], Chosen()),
    )


def scale(ready: Session, count: int) -> Command:
    """Bringing the cluster to so many workers; those that go finish their tasks first."""
    return Command(
        f"Scale to {count} workers",
        verb(ready, "scale", str(count)),
        lambda: scale_workers(ready.engine, ready.stack, count),
    )


async def running_workers(ready: Session) -> int:
    """How many workers run now. Raises Refused where the stack has nothing to scale."""
    spec = scale_spec(ready.stack, ready.project)
    names = {*spec.fixed, spec.service}
    found = await ready.engine.replicas()
    return sum(1 for item in found if item.service in names and item.state is State.RUNNING and not item.is_run)


def cancel(ready: Session, name: str, run: Replica) -> Command:
    """Ending a run: politely first, so that the driver frees its executors."""

    async def end() -> AsyncGenerator[StartUpdate]:
        yield Phase("Asking the driver to end")
        await jobs.cancel(ready.engine, run)
        yield Note("ended")

    told = _told(ready, ["cancel"], Chosen(replicas=(run,)))
    return Command(f"Cancel {name}", verb(ready, "jobs", name, "--cancel"), end, told)


def cleanup(ready: Session) -> Command:
    """Removing what the engine keeps of the stack."""
    return Command(
        f"Clean up {ready.stack.name}",
        verb(ready, "cleanup", "--yes"),
        lambda: clean(ready.engine, ready.stack, ready.project),
    )


def submit(ready: Session, form: Form, made: Submission) -> Command:
    """Preparing, checking and submitting the job that a form describes; the run goes on by itself."""
    job = made.job

    async def run() -> AsyncGenerator[StartUpdate]:
        await jobs.check_running(ready.engine, ready.stack, ready.project, job)
        if job.prepare:
            yield Phase(f"Preparing: {' '.join(job.prepare)}")
            for line in (await jobs.prepare(ready.engine, job)).splitlines():
                yield Note(line)
        check_files(ready.engine.info, ready.project, job)
        begun = await jobs.submit(ready.engine, ready.project, job, made.args, conf=made.conf, env=made.env)
        yield Note(f"submitted {begun.id}; it goes on if you leave")
        await ready.watch.refresh()

    return Command(f"Submit {job.name}", verb(ready, *verb_words(form, made)), run)


def whole_log(ready: Session, replicas: Sequence[Replica], told: Callable[[str], None]) -> AsyncGenerator[Tagged]:
    """Every line that the engine still has of these replicas, by time; `told` hears why one has none."""
    return recent(ready.engine, replicas, None, told)


async def runs(ready: Session, told: Callable[[str], None]) -> list[jobs.Run]:
    """Every run, newest first; those that the engine has forgotten too. `told` hears why these are not kept."""
    return await history(ready.engine, ready.stack, told)


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
