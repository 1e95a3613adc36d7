"""Which port of 127.0.0.1 each service gets."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path

from tui.engine.interface import EngineError
from tui.engine.ports import is_taken, listener
from tui.engine.process.state import read_json, write_json
from tui.engine.process.store import LOCALHOST
from tui.stack.model import Port, Service

LAST = 65535


class Ports:
    """What was allotted in this stack: by service, number and target. Kept until `down`."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "ports.json"
        self._known: dict[str, int] = {}
        for key, port in (read_json(self._file) or {}).items():
            if isinstance(port, int):
                self._known[key] = port

    def of(self, service: str, number: int) -> dict[int, int]:
        """Target ports to allotted ones."""
        start = f"{service}/{number}/"
        return {int(key[len(start) :]): port for key, port in self._known.items() if key.startswith(start)}

    def all_first(self) -> dict[tuple[str, int], int]:
        """Every service's first replica: service and target to the allotted port."""
        found = {}
        for key, port in self._known.items():
            service, number, target = key.rsplit("/", 2)
            if number == "1":
                found[service, int(target)] = port
        return found

    async def allot(
        self,
        services: Sequence[tuple[Service, int]],
        set_ports: Mapping[int, str],
        in_use: set[int],
        avoid: Sequence[int] = (),
    ) -> list[str]:
        """Gives each of these replicas its ports: the wanted one, or the next free one. Says what was moved, and why.

        `in_use` are the ports of replicas of this stack that run: theirs, whoever listens. `avoid` are ports that
        proved to be taken. Raises EngineError for a port that the user set himself and somebody else has.
        """
        notes = []
        for service, number in services:
            moved: list[tuple[int, int, str]] = []
            for port in service.ports:
                if port.protocol != "tcp":
                    continue
                key = f"{service.name}/{number}/{port.target}"
                wanted = port.published if number == 1 or service.replicas <= 1 else None
                known = self._known.get(key)
                if known is not None and (known in in_use or self._is_free(known, key, avoid)):
                    continue
                if wanted is not None and self._is_free(wanted, key, avoid):
                    self._known[key] = wanted
                    continue
                free = self._next(wanted or port.target, key, avoid)
                if wanted is not None:
                    holder = await listener(wanted) or self._other(wanted, key) or "another program"
                    if wanted in set_ports:
                        raise EngineError(
                            f"Port {wanted}, which {set_ports[wanted]} gives to {service.name}, is held by {holder}. "
                            f"Stop that, or set {set_ports[wanted]}; {free} is free."
                        )
                    moved.append((wanted, free, holder))
                self._known[key] = free
            if moved:
                first, free, holder = moved[0]
                more = f" (and {len(moved) - 1} more)" if len(moved) > 1 else ""
                notes.append(f"port {first} is held by {holder}: {service.name} takes {free}{more}")
        await asyncio.to_thread(write_json, self._file, self._known)
        return notes

    def _is_free(self, port: int, key: str, avoid: Sequence[int]) -> bool:
        return port not in avoid and self._other(port, key) is None and not is_taken(LOCALHOST, port)

    def _other(self, port: int, key: str) -> str | None:
        """Which other replica of this stack was given a port."""
        return next(
            (f"{other.rsplit('/', 2)[0]}" for other, has in self._known.items() if has == port and other != key), None
        )

    def _next(self, port: int, key: str, avoid: Sequence[int]) -> int:
        for candidate in range(max(1024, port), LAST):
            if self._is_free(candidate, key, avoid):
                return candidate
        raise EngineError(f"No port from {port} on is free on this machine.")


def allotted(service: Service, ports: Mapping[int, int]) -> tuple[Port, ...]:
    """A service's ports as they were allotted."""
    return tuple(
        Port(port.target, ports[port.target], LOCALHOST, port.protocol)
        for port in service.ports
        if port.target in ports
    )
