"""Everything that the engine keeps of one project, found by labels, and its removal."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Iterable
from typing import Any

from tui.engine.docker.answers import Image, Listed, ListedNetwork, Usage, Volume
from tui.engine.docker.api import Api
from tui.engine.docker.errors import NotThere
from tui.engine.docker.replicas import ONE_OFF_LABEL, PROJECT_LABEL
from tui.engine.interface import EngineError, EngineGone, Progress, Removable

# Sizes of volumes are counted file by file.
SIZE_SECONDS = 300
STOP_SECONDS = 10
_PATHS = {"replica": "containers", "network": "networks", "volume": "volumes", "image": "images"}


async def containers(api: Api, project: str) -> list[Listed]:
    """Every container of a project, ended ones, runs and foreign one-offs included."""
    filters = {"label": [f"{PROJECT_LABEL}={project}"]}
    return await api.query(list[Listed], "containers/json", params={"all": 1, "filters": filters})


async def removables(api: Api, project: str, built: Iterable[str]) -> list[Removable]:
    """What `remove` would remove. `built` are the names of images that the project builds."""
    usage = await api.query(Usage, "system/df", seconds=SIZE_SECONDS)
    labelled = {"filters": {"label": [f"{PROJECT_LABEL}={project}"]}}
    networks = await api.query(list[ListedNetwork], "networks", params=labelled)
    names = {_tagged(name) for name in built}
    found = [
        Removable("replica", item.id, item.name, item.size_rw)
        for item in usage.containers or ()
        if _is_of(item, project)
    ]
    found += [Removable("network", item.id, item.name, 0) for item in networks]
    for volume in usage.volumes or ():
        if _is_of(volume, project):
            size = volume.usage_data.size if volume.usage_data else -1
            found.append(Removable("volume", volume.name, volume.name, size if size >= 0 else None))
    for image in usage.images or ():
        tags = [tag for tag in image.repo_tags or () if tag != "<none>:<none>"]
        ours = tags if _is_of(image, project) else [tag for tag in tags if tag in names]
        # An image goes when its last name goes: the size counts once.
        for tag in ours[:-1]:
            found.append(Removable("image", tag, tag, 0))
        if ours:
            found.append(Removable("image", ours[-1], ours[-1], image.size if ours == tags else 0))
        elif _is_of(image, project):
            found.append(Removable("image", image.id, image.id[-64:][:12], image.size))
    return found


async def remove_containers(api: Api, found: Iterable[Listed]) -> AsyncGenerator[Progress]:
    """Stops and removes containers at once; anonymous volumes go with them."""

    async def remove(container: Listed) -> str:
        path = f"containers/{container.id}"
        if container.state in ("running", "paused", "restarting"):
            stop = {"t": STOP_SECONDS}
            await _unless_gone(api.call(f"{path}/stop", "POST", params=stop, seconds=STOP_SECONDS + 30))
        await _unless_gone(api.call(path, "DELETE", params={"v": 1, "force": 1}))
        return f"Removed replica {container.name}"

    tasks = [asyncio.ensure_future(remove(container)) for container in found]
    try:
        for task in asyncio.as_completed(tasks):
            yield Progress(await task)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def remove(api: Api, doomed: Iterable[Removable]) -> AsyncGenerator[Progress]:
    """Removes networks, volumes and images; raises at the end if some could not be removed."""
    kept: list[str] = []
    for item in doomed:
        try:
            await _unless_gone(api.call(f"{_PATHS[item.kind]}/{item.id}", "DELETE"))
            yield Progress(f"Removed {item.kind} {item.name}")
        except EngineGone:
            raise
        except EngineError as error:
            kept.append(f"{item.kind} {item.name}: {error}")
    if kept:
        raise EngineError("Not everything could be removed:\n" + "\n".join(kept))


async def _unless_gone(query: Awaitable[Any]) -> None:
    try:
        await query
    except NotThere:
        pass
    except EngineError as error:
        if "already in progress" not in str(error):
            raise


def is_one_off(container: Listed) -> bool:
    """Whether a container is a run, or somebody's `compose run`."""
    return (container.labels or {}).get(ONE_OFF_LABEL) == "True"


def _is_of(item: Listed | Volume | Image, project: str) -> bool:
    return (item.labels or {}).get(PROJECT_LABEL) == project


def _tagged(name: str) -> str:
    return name if ":" in name.rpartition("/")[2] else f"{name}:latest"
