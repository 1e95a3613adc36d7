"""Reads a compose project without Docker, in the form that `docker compose config --format json` prints.

What a process cannot have (images, networks, limits, users) is passed over; what would change what runs and is not
read here (`extends`, `include`, ...) is refused by name. The rules are those of the compose specification.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dotenv import dotenv_values

from tui.engine.interface import EngineError
from tui.engine.process.loadyaml import Replaced, load_yaml
from tui.engine.process.variables import Variables
from tui.stack.environment import read_environment
from tui.stack.model import Stack
from tui.stack.project import default_name

_REFUSED = {"include": "put its services into the compose file itself"}
_REFUSED_IN_SERVICE = {
    "extends": "write the service out, or use a YAML anchor",
    "secrets": "use `environment` or a mounted file",
    "configs": "use a mounted file",
}
# https://github.com/compose-spec/compose-spec/blob/main/spec.md#specifying-durations
_UNITS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(us|ms|s|m|h)")
START_SECONDS = 60.0
_PORT = re.compile(
    r"(?:(?P<host>\[[^\]]*\]|[^:\[\]]*):)??(?:(?P<published>\d{0,5}(?:-\d{1,5})?):)?(?P<target>\d{1,5}(?:-\d{1,5})?)"
    r"(?:/(?P<protocol>\w+))?"
)


def read_compose(stack: Stack, more: Mapping[str, str] | None = None) -> tuple[dict[str, Any], Variables]:
    """The project as compose would resolve it, profiles included, and the variables that it asked for.

    The caller's environment goes before `.env`, and `.env` before `more`. Raises EngineError with file and key.
    """
    variables = Variables({**(more or {}), **read_environment(stack), **os.environ})
    contents = [(file, _load(file)) for file in stack.files]
    names = (
        variables.fill(str(whole["name"]), f"{file}: name") for file, whole in reversed(contents) if "name" in whole
    )
    chosen = stack.project_name or variables.known.get("COMPOSE_PROJECT_NAME")
    given = chosen or next(names, default_name(stack.folder))
    variables.known["COMPOSE_PROJECT_NAME"] = given
    services: dict[str, dict[str, Any]] = {}
    named: dict[str, dict[str, Any]] = {"volumes": {}, "networks": {}}
    for file, whole in contents:
        for key, instead in _REFUSED.items():
            if key in whole:
                raise EngineError(f"{file}: {key}: is not read without Docker; {instead}.")
        for name, entry in _mapping(whole.get("services"), f"{file}: services").items():
            at = f"{file}: services.{name}"
            replaced: list[tuple[str, ...]] = []
            entry = _untagged(entry, (name,), replaced)
            for path in replaced:
                _drop(services, path)
            if entry is None and (name,) in replaced:
                continue
            service = _service(_mapping(variables.filled(entry, at), at), at, stack.folder, variables)
            services[name] = _merged(services[name], service) if name in services else service
        for kind, known in named.items():
            known.update({name: {} for name in _mapping(_untagged(whole.get(kind), (), []), f"{file}: {kind}")})
    for service in services.values():
        service["environment"] = {**service.pop("env_file"), **service["environment"]}
    used = {mount["source"] for service in services.values() for mount in service["volumes"] if "source" in mount}
    named["volumes"] = {name: {} for name in named["volumes"] if name in used}
    project: dict[str, Any] = _escaped({"name": given, "services": services, **named})
    return project, variables


def start_seconds(service: Mapping[str, Any]) -> float:
    """How long a service may take to start: its health check's `start_period`, and a minute at least."""
    text = str(service.get("healthcheck", {}).get("start_period", ""))
    return max(START_SECONDS, sum(float(count) * _UNITS[unit] for count, unit in _DURATION.findall(text)))


def _load(file: Path) -> Mapping[str, Any]:
    whole = load_yaml(file)
    if not isinstance(whole, dict) or not isinstance(whole.get("services"), dict):
        raise EngineError(f"{file}: services: a compose file needs a mapping of services.")
    return whole


def _service(found: Mapping[str, Any], at: str, folder: Path, variables: Variables) -> dict[str, Any]:
    for key, instead in _REFUSED_IN_SERVICE.items():
        if found.get(key):
            raise EngineError(f"{at}.{key}: is not read without Docker; {instead}.")
    plain = {key: found[key] for key in ("image", "build", "container_name", "restart", "profiles") if key in found}
    kept: dict[str, Any] = {
        **plain,
        # Of later files, too, these go before what is in `env_file`.
        "environment": _environment(found, at, variables),
        "env_file": _env_file(found, at, folder),
        "ports": [port for item in _list(found.get("ports"), f"{at}.ports") for port in _port(item, f"{at}.ports")],
        "volumes": [_volume(item, f"{at}.volumes", folder) for item in _list(found.get("volumes"), f"{at}.volumes")],
        "depends_on": _depends_on(found.get("depends_on"), f"{at}.depends_on"),
    }
    for key in ("command", "entrypoint"):
        if key in found:
            kept[key] = _words(found[key], f"{at}.{key}")
    if "tmpfs" in found:
        kept["tmpfs"] = _list(found["tmpfs"], f"{at}.tmpfs")
    if "healthcheck" in found:
        kept["healthcheck"] = _health_check(_mapping(found["healthcheck"], f"{at}.healthcheck"))
    deploy = _mapping(found.get("deploy"), f"{at}.deploy")
    if "replicas" in deploy:
        kept["deploy"] = {"replicas": _count(deploy["replicas"], f"{at}.deploy.replicas")}
    if "scale" in found:
        kept["scale"] = _count(found["scale"], f"{at}.scale")
    return kept


def _untagged(value: Any, path: tuple[str, ...], replaced: list[tuple[str, ...]]) -> Any:
    """Data without `!override` and `!reset`, and, in `replaced`, where these stood."""
    if isinstance(value, Replaced):
        replaced.append(path)
        value = value.value
    if isinstance(value, dict):
        plain = {key: _untagged(item, (*path, str(key)), replaced) for key, item in value.items()}
        return {key: item for key, item in plain.items() if not (isinstance(value[key], Replaced) and value[key].reset)}
    return value


def _drop(services: dict[str, Any], path: tuple[str, ...]) -> None:
    """Forgets what earlier files say there."""
    holder: Any = services
    for key in path[:-1]:
        holder = holder.get(key) if isinstance(holder, dict) else None
    if isinstance(holder, dict):
        holder.pop(path[-1], None)


def _env_file(found: Mapping[str, Any], at: str, folder: Path) -> dict[str, str | None]:
    values: dict[str, str | None] = {}
    for item in _list(found.get("env_file"), f"{at}.env_file"):
        entry = {"path": item} if isinstance(item, str) else _mapping(item, f"{at}.env_file")
        file = folder / str(entry.get("path", ""))
        if file.is_file():
            values |= dotenv_values(file)
        elif entry.get("required", True) is not False:
            raise EngineError(f"{at}.env_file: there is no file {file}. Make it, or set `required: false`.")
    return values


def _environment(found: Mapping[str, Any], at: str, variables: Variables) -> dict[str, str | None]:
    values: dict[str, str | None] = {}
    own = found.get("environment") or {}
    if isinstance(own, list):
        pairs = [str(item).partition("=") for item in own]
        own = {name: text if sign else None for name, sign, text in pairs}
    for name, value in _mapping(own, f"{at}.environment").items():
        # Null: taken from the caller's environment.
        values[name] = variables.known.get(name) if value is None else _scalar(value)
    return values


def _port(item: Any, at: str) -> list[dict[str, Any]]:
    if isinstance(item, Mapping):
        target, published = str(item.get("target", "")), str(item.get("published") or "")
        host, protocol = str(item.get("host_ip") or ""), str(item.get("protocol") or "tcp")
    else:
        match = _PORT.fullmatch(str(item))
        if match is None:
            raise EngineError(f"{at}: {str(item)!r} is not a port; write HOST_PORT:PORT.")
        target, published = match["target"], match["published"] or ""
        host, protocol = (match["host"] or "").strip("[]"), match["protocol"] or "tcp"
    more = {"host_ip": host} if host else {}
    inside, outside = _range(target), _range(published) if published else []
    if len(inside) == len(outside):
        pairs = [(one, str(other)) for one, other in zip(inside, outside, strict=True)]
    else:
        # One port of a range, or any: chosen at start.
        pairs = [(one, published) for one in inside]
    return [
        {"target": one, **({"published": other} if other else {}), "protocol": protocol, **more} for one, other in pairs
    ]


def _range(text: str) -> list[int]:
    low, _, high = text.partition("-")
    return list(range(int(low), int(high or low) + 1)) if low.isdecimal() and (high or low).isdecimal() else []


def _volume(item: Any, at: str, folder: Path) -> dict[str, Any]:
    if isinstance(item, Mapping):
        volume = dict(item)
        if volume.get("type") == "bind":
            volume["source"] = _path(str(volume.get("source", "")), folder)
        return volume
    parts = str(item).split(":")
    if len(parts) > 3:
        raise EngineError(f"{at}: {str(item)!r} is not a volume; write SOURCE:TARGET or SOURCE:TARGET:ro.")
    if len(parts) == 1:
        return {"type": "volume", "target": parts[0]}
    source, target = parts[0], parts[1]
    modes = parts[2].split(",") if len(parts) == 3 else []
    more = {"read_only": True} if "ro" in modes else {}
    if source.startswith((".", "/", "~")):
        return {"type": "bind", "source": _path(source, folder), "target": target, **more}
    return {"type": "volume", "source": source, "target": target, **more}


def _path(text: str, folder: Path) -> str:
    return os.path.normpath(folder / Path(text).expanduser())


def _depends_on(value: Any, at: str) -> dict[str, Any]:
    if isinstance(value, list):
        return {str(name): {"condition": "service_started"} for name in value}
    return {name: dict(_mapping(entry, f"{at}.{name}")) for name, entry in _mapping(value, at).items()}


def _health_check(found: Mapping[str, Any]) -> dict[str, Any]:
    test = found.get("test")
    return {**found, "test": ["CMD-SHELL", test]} if isinstance(test, str) else dict(found)


def _merged(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """A service of one file with what a later file says of it."""
    whole = {**old, **new}
    for key in ("environment", "env_file", "depends_on", "healthcheck", "deploy"):
        if key in old and key in new:
            whole[key] = {**old[key], **new[key]}
    for key in ("ports", "profiles"):
        if key in old and key in new:
            whole[key] = [*old[key], *(item for item in new[key] if item not in old[key])]
    whole["volumes"] = list({item.get("target"): item for item in [*old.get("volumes", []), *new["volumes"]]}.values())
    return whole


def _words(value: Any, at: str) -> list[str] | None:
    if isinstance(value, str):
        try:
            return shlex.split(value)
        except ValueError as error:
            raise EngineError(f"{at}: {value!r} cannot be split into words: {error}.") from None
    return None if value is None else [_scalar(word) for word in _list(value, at)]


def _scalar(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _count(value: Any, at: str) -> int:
    if not str(value).isdecimal():
        raise EngineError(f"{at}: {str(value)!r} is not a number.")
    return int(value)


def _mapping(value: Any, at: str) -> Mapping[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise EngineError(f"{at}: must be a mapping (key: value).")
    return value


def _list(value: Any, at: str) -> Sequence[Any]:
    if value is None:
        return []
    if isinstance(value, str):
        return [value]
    if not isinstance(value, list):
        raise EngineError(f"{at}: must be a list.")
    return value


def _escaped(value: Any) -> Any:
    """As compose prints it: every `$` doubled, so that it could be read again."""
    if isinstance(value, dict):
        return {key: _escaped(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_escaped(item) for item in value]
    return value.replace("$", "$$") if isinstance(value, str) else value
