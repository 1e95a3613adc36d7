"""Everything that the engine keeps of one project, found by labels, and its removal."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Iterable, Mapping
from typing import Any

from tui.engine.docker.api import Api
from tui.engine.docker.errors import NotThere
from tui.engine.docker.replicas import ONE_OFF_LABEL, PROJECT_LABEL
from tui.engine.interface import EngineError, EngineGone, Progress, Removable

# Sizes of volumes are counted file by file.
SIZE_SECONDS = 300
STOP_SECONDS = 10
_PATHS = {"replica": "containers", "network": "networks", "volume": "volumes", "image": "images"}


async def containers(api: Api, project: str) -> list[dict[str, Any]]:
    """Every container of a project, ended ones, runs and foreign one-offs included."""
    filters = {"label": [f"{PROJECT_LABEL}={project}"]}
    return list(await api.query("containers/json", params={"all": 1, "filters": filters}) or ())


async def removables(api: Api, project: str, built: Iterable[str]) -> list[Removable]:
    """What `remove` would remove. `built` are the names of images that the project builds."""
    usage = await api.query("system/df", seconds=SIZE_SECONDS) or {}
    networks = await api.query("networks", params={"filters": {"label": [f"{PROJECT_LABEL}={project}"]}}) or ()
    names = {_tagged(name) for name in built}
    found = [
        Removable("replica", item["Id"], item["Names"][0].removeprefix("/"), item.get("SizeRw", 0))
        for item in usage.get("Containers") or ()
        if _is_of(item, project)
    ]
    found += [Removable("network", item["Id"], item["Name"], 0) for item in networks]
    for item in usage.get("Volumes") or ():
        if _is_of(item, project):
            size = (item.get("UsageData") or {}).get("Size", -1)
            found.append(Removable("volume", item["Name"], item["Name"], size if size >= 0 else None))
    for item in usage.get("Images") or ():
        tags = [tag for tag in item.get("RepoTags") or () if tag != "<none>:<none>"]
        ours = tags if _is_of(item, project) else [tag for tag in tags if tag in names]
        # An image goes when its last name goes: the size counts once.
        for tag in ours[:-1]:
            found.append(Removable("image", tag, tag, 0))
        if ours:
            found.append(Removable("image", ours[-1], ours[-1], item.get("Size") if ours == tags else 0))
        elif _is_of(item, project):
            found.append(Removable("image", item["Id"], item["Id"][-64:][:12], item.get("Size")))
    return found


async def remove_containers(api: Api, found: Iterable[Mapping[str, Any]]) -> AsyncGenerator[Progress]:
    """Stops and removes containers at once; anonymous volumes go with them."""

    async def remove(container: Mapping[str, Any]) -> str:
        name = str(container["Names"][0]).removeprefix("/")
        path = f"containers/{container['Id']}"
        if container.get("State") in ("running", "paused", "restarting"):
            stop = {"t": STOP_SECONDS}
            await _unless_gone(api.query(f"{path}/stop", "POST", params=stop, seconds=STOP_SECONDS + 30))
        await _unless_gone(api.query(path, "DELETE", params={"v": 1, "force": 1}))
        return f"Removed replica {name}"

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
            await _unless_gone(api.query(f"{_PATHS[item.kind]}/{item.id}", "DELETE"))
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


def is_one_off(container: Mapping[str, Any]) -> bool:
    """Whether a container is a run, or somebody's `compose run`."""
    return (container.get("Labels") or {}).get(ONE_OFF_LABEL) == "True"


def _is_of(item: Mapping[str, Any], project: str) -> bool:
    return (item.get("Labels") or {}).get(PROJECT_LABEL) == project


def _tagged(name: str) -> str:
    return name if ":" in name.rpartition("/")[2] else f"{name}:latest"
