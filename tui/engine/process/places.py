"""Where a service's ports and folders are on this machine, and texts of a layout with these filled in."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from tui.engine.interface import EngineError
from tui.engine.process.spark import spark_home, write_private
from tui.stack.model import Layout, Mount, Port, ProcessSpec, Project

_PLACE = re.compile(
    r"\{(?:port:(?:(?P<service>[A-Za-z0-9][\w.-]*):)?(?P<port>\d{1,5})|path:(?P<path>/[^{}]*)"
    r"|build:(?P<build>[A-Za-z0-9][\w.-]*)|(?P<word>state|folder|python|spark))\}"
)


def wanted_ports(layout: Layout, spec: ProcessSpec, project: Project) -> dict[str, set[int]]:
    """The ports that each service's process listens on: those that the layout's texts name."""
    found: dict[str, set[int]] = {name: set() for name in project.services}
    for name in project.services:
        process = layout.service(name).process
        texts = [*process.command, *process.env.values(), *process.files.values(), *spec.env.values()]
        texts += [process.ready.url] if process.ready else []
        for match in (match for text in (*texts, *spec.spark_conf.values()) for match in _PLACE.finditer(text)):
            if match["port"]:
                found.setdefault(match["service"] or name, set()).add(int(match["port"]))
    return found


@dataclass(frozen=True, slots=True)
class Fixed:
    """Where things are, whatever the ports: the stack's private folder, the compose project's, a service's Python."""

    state: Path
    folder: Path
    python: Path
    build: Callable[[str], Path]


class Places:
    """One service's view: `own` are its target ports to this machine's, `all_ports` those of every service."""

    def __init__(
        self,
        project: Project,
        fixed: Fixed,
        service: str,
        own: Mapping[int, int],
        all_ports: Mapping[tuple[str, int], int],
    ) -> None:
        self._project = project
        self._fixed = fixed
        self._state = fixed.state
        self._service = service
        self._own = own
        self._all_ports = all_ports

    @property
    def folder(self) -> Path:
        """Where the service runs."""
        return self._state / "folders" / self._service

    def fill(self, text: str) -> str:
        """A text of the layout with its places filled in. Raises EngineError for a port or folder that is not there."""
        return _PLACE.sub(self._place, text)

    def argument(self, word: str) -> str:
        """A word of a command; a path inside the service, or one after the first `=`, becomes one of this machine."""
        name, sign, value = word.partition("=")
        if word.startswith("/"):
            return str(self._found(self._service, word) or word)
        return f"{name}={self._found(self._service, value) or value}" if sign and value.startswith("/") else word

    def host_path(self, path: str) -> Path:
        """Where a path inside this service, or else inside another, is on this machine. Raises EngineError."""
        for service in (self._service, *self._project.services):
            found = self._found(service, path)
            if found is not None:
                return found
        raise EngineError(f"{self._service}: {path} is in no folder that a service mounts; correct the layout.")

    def make(self, folders: Sequence[str], files: Mapping[str, str]) -> None:
        """Makes these folders (as the services call them), volumes, and files with their texts. Raises OSError."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for path in folders:
            self.host_path(path).mkdir(parents=True, exist_ok=True)
        for mount in self._project.services[self._service].mounts:
            if mount.kind == "volume":
                self._source(self._service, mount).mkdir(parents=True, exist_ok=True)
        for path, text in files.items():
            file = self._state / "files" / path
            file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            write_private(file, text)

    def _place(self, match: re.Match[str]) -> str:
        if match["path"]:
            return str(self.host_path(match["path"]))
        if match["build"]:
            return str(self._fixed.build(match["build"]))
        if match["word"]:
            known = {"state": self._state, "folder": self._fixed.folder, "python": self._fixed.python}
            return str(known.get(match["word"]) or spark_home())
        service, target = match["service"] or self._service, int(match["port"])
        port = self._own.get(target) if service == self._service else self._all_ports.get((service, target))
        # A service that was never started: where it would be.
        port = port or next((one.published for one in self._ports(service) if one.target == target), None)
        if port is None:
            raise EngineError(
                f"{self._service} needs port {target} of {service}, which is not up. Start it: sparkdeck up"
            )
        return str(port)

    def _ports(self, service: str) -> Sequence[Port]:
        return self._project.services[service].ports if service in self._project.services else ()

    def _found(self, service: str, path: str) -> Path | None:
        inside = PurePosixPath(path)
        mounts = [
            mount
            for mount in self._project.services[service].mounts
            if mount.kind in ("bind", "volume") and inside.is_relative_to(mount.target)
        ]
        if not mounts:
            return None
        mount = max(mounts, key=lambda one: len(PurePosixPath(one.target).parts))
        return self._source(service, mount) / inside.relative_to(mount.target)

    def _source(self, service: str, mount: Mount) -> Path:
        if mount.kind == "bind":
            return Path(mount.source)
        return self._state / "volumes" / (mount.source or f"{service}{mount.target.replace('/', '-')}")
