"""Reads what `docker compose config --format json` prints. Pure; what it is given is untrusted."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from tui.stack.errors import ProjectError
from tui.stack.model import Mount, Port, Project, Service

MAX_CHARACTERS = 16 * 1024 * 1024
MAX_SERVICES = 1000
MAX_PORTS = 2000
MAX_REPLICAS = 10_000

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,254}")
_RANGE = re.compile(r"(\d{1,5})(?:-(\d{1,5}))?")


def parse_project(config: str | Mapping[str, Any], active: Collection[str] = ()) -> Project:
    """A resolved compose project; services behind a profile that is `active` (`*`: any) are as those behind none.

    Raises ProjectError naming the place of what compose would not write.
    """
    if isinstance(config, str):
        if len(config) > MAX_CHARACTERS:
            raise ProjectError(f"the compose project is longer than {MAX_CHARACTERS} characters")
        try:
            config = json.loads(config)
        except (ValueError, RecursionError) as error:
            raise ProjectError(f"what compose printed is not JSON: {error}") from None
    whole = _mapping(config, "the compose project")
    services = _mapping(whole.get("services"), "services")
    if len(services) > MAX_SERVICES:
        raise ProjectError(f"services: {len(services)} are too many; at most {MAX_SERVICES} are read")
    read = {_name(name, "services"): _service(name, entry) for name, entry in services.items()}
    return Project(
        name=_name(whole.get("name"), "name"),
        services={name: _activated(service, active) for name, service in read.items()},
        volumes=tuple(map(str, _mapping(whole.get("volumes"), "volumes"))),
        networks=tuple(map(str, _mapping(whole.get("networks"), "networks"))),
    )


def default_name(folder: Path) -> str:
    """What compose calls a project whose files and settings give it no name; empty where nothing of the folder's name
    is left."""
    return re.sub(r"[^a-z0-9_-]", "", folder.name.lower()).lstrip("_-")


def scale_obstacle(service: Service) -> str | None:
    """Why compose cannot run several replicas of a service, and what to do; None if it can."""
    if service.container_name:
        return (
            f"compose cannot scale {service.name!r}, since it has a container_name; "
            "remove container_name from the compose file"
        )
    fixed = sorted(port.published for port in service.ports if port.published is not None)
    if fixed:
        return (
            f"compose cannot scale {service.name!r}, since only one replica can have the host's port "
            f"{fixed[0]}; leave the host's port out or give a range"
        )
    return None


def _activated(service: Service, active: Collection[str]) -> Service:
    return replace(service, profiles=()) if "*" in active or not set(service.profiles).isdisjoint(active) else service


def _service(name: str, entry: Any) -> Service:
    at = f"services.{name}"
    found = _mapping(entry, at)
    restart = found.get("restart")
    container_name = found.get("container_name")
    health_test = _health_test(found.get("healthcheck"), f"{at}.healthcheck")
    return Service(
        name=name,
        image=_text(found.get("image") or "", f"{at}.image"),
        built=found.get("build") is not None,
        command=_words(found.get("command"), f"{at}.command"),
        entrypoint=_words(found.get("entrypoint"), f"{at}.entrypoint"),
        environment=_environment(found.get("environment"), f"{at}.environment"),
        ports=_ports(found.get("ports"), f"{at}.ports"),
        mounts=_mounts(found, at),
        depends_on=_depends_on(found.get("depends_on"), f"{at}.depends_on"),
        profiles=_words(found.get("profiles"), f"{at}.profiles"),
        replicas=_replicas(found, at),
        has_health_check=bool(health_test),
        health_test=health_test,
        container_name=_text(container_name, f"{at}.container_name") if container_name else None,
        restart=_text(restart, f"{at}.restart") if restart else "no",
    )


def _mapping(value: Any, at: str) -> Mapping[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise ProjectError(f"{at}: must be a mapping, not {_show(value)}")
    return value


def _list(value: Any, at: str) -> list[Any]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise ProjectError(f"{at}: must be a list, not {_show(value)}")
    return value


def _name(value: Any, at: str) -> str:
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise ProjectError(f"{at}: {_show(value)} is not a name; allowed are letters, digits, dot, - and _")
    return value


def _text(value: Any, at: str) -> str:
    """Text as compose means it: its `config` doubles every `$`, so that it can be read again."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return str(value)
    if not isinstance(value, str):
        raise ProjectError(f"{at}: must be text, not {_show(value)}")
    return value.replace("$$", "$")


def _words(value: Any, at: str) -> tuple[str, ...]:
    if isinstance(value, str):
        try:
            return tuple(shlex.split(_text(value, at)))
        except ValueError as error:
            raise ProjectError(f"{at}: {_show(value)} cannot be split into words: {error}") from None
    return tuple(_text(word, f"{at}[{number}]") for number, word in enumerate(_list(value, at)))


def _environment(value: Any, at: str) -> Mapping[str, str]:
    if isinstance(value, list):
        pairs = [_text(item, at).partition("=") for item in value]
        return {name: text for name, sign, text in pairs if sign}
    # Null: taken from the caller's environment, and not set there.
    found = _mapping(value, at)
    return {str(name): _text(text, f"{at}.{name}") for name, text in found.items() if text is not None}


def _ports(value: Any, at: str) -> tuple[Port, ...]:
    ports: list[Port] = []
    for number, item in enumerate(_list(value, at)):
        ports += _port(item, f"{at}[{number}]")
        if len(ports) > MAX_PORTS:
            raise ProjectError(f"{at}: more than {MAX_PORTS} ports are too many")
    return tuple(ports)


def _port(value: Any, at: str) -> list[Port]:
    found = _mapping(value, at)
    first, last = _port_range(found.get("target"), f"{at}.target")
    published = found.get("published")
    host = _text(found.get("host_ip") or "", f"{at}.host_ip")
    protocol = _text(found.get("protocol") or "tcp", f"{at}.protocol")
    targets = range(first, last + 1)
    chosen: list[int | None] = [None] * len(targets)
    if published not in (None, "", 0, "0"):
        low, high = _port_range(published, f"{at}.published")
        # One port of a wider range is chosen at start.
        if high - low == last - first:
            chosen = list(range(low, high + 1))
    return [Port(target, port, host, protocol) for target, port in zip(targets, chosen, strict=True)]


def _port_range(value: Any, at: str) -> tuple[int, int]:
    match = _RANGE.fullmatch(str(value)) if isinstance(value, int | str) else None
    low, high = (int(match[1]), int(match[2] or match[1])) if match else (0, 0)
    if not 1 <= low <= high <= 65535:
        raise ProjectError(f"{at}: {_show(value)} is not a port or a range of ports; allowed: 1 to 65535")
    return low, high


def _mounts(found: Mapping[str, Any], at: str) -> tuple[Mount, ...]:
    mounts: list[Mount] = []
    for number, item in enumerate(_list(found.get("volumes"), f"{at}.volumes")):
        here = f"{at}.volumes[{number}]"
        volume = _mapping(item, here)
        mounts.append(
            Mount(
                kind=_text(volume.get("type") or "volume", f"{here}.type"),
                source=_text(volume.get("source") or "", f"{here}.source"),
                target=_text(volume.get("target"), f"{here}.target"),
                read_only=volume.get("read_only") is True,
            )
        )
    for target in _words(found.get("tmpfs"), f"{at}.tmpfs"):
        mounts.append(Mount("tmpfs", "", target.partition(":")[0]))
    return tuple(mounts)


def _depends_on(value: Any, at: str) -> Mapping[str, str]:
    if isinstance(value, list):
        return {_text(name, at): "service_started" for name in value}
    found: dict[str, str] = {}
    for name, entry in _mapping(value, at).items():
        condition = _mapping(entry, f"{at}.{name}").get("condition") or "service_started"
        found[str(name)] = _text(condition, f"{at}.{name}.condition")
    return found


def _replicas(found: Mapping[str, Any], at: str) -> int:
    """How many replicas the project asks for; `scale` goes before `deploy.replicas`, as in compose."""
    replicas = found.get("scale")
    if replicas is None:
        replicas = _mapping(found.get("deploy"), f"{at}.deploy").get("replicas")
    if replicas is None:
        return 1
    if isinstance(replicas, bool) or not isinstance(replicas, int) or not 0 <= replicas <= MAX_REPLICAS:
        raise ProjectError(f"{at}: {_show(replicas)} replicas; allowed: 0 to {MAX_REPLICAS}")
    return replicas


def _health_test(value: Any, at: str) -> tuple[str, ...]:
    """The health check's command as compose writes it; empty where there is none."""
    check = _mapping(value, at)
    test = check.get("test")
    # A line for a shell is one word: what is in it is not ours to split.
    words = ("CMD-SHELL", _text(test, f"{at}.test")) if isinstance(test, str) and test else _words(test, f"{at}.test")
    return () if check.get("disable") is True or not words or words[0] == "NONE" else words


def _show(value: Any) -> str:
    if value is None:
        return "nothing"
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
