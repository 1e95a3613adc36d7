"""Are the host ports free that a stack wants to publish?"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from contextlib import suppress

from tui.checks.finding import Finding
from tui.engine.interface import Engine, State
from tui.stack.environment import port_variables
from tui.stack.model import Port, Project, Stack


async def check_ports(engine: Engine, stack: Stack, project: Project, services: Sequence[str] = ()) -> list[Finding]:
    """Every published port that something else than this stack holds, with its holder, its variable and a free one.

    One that the engine would move out of the way by itself is none.
    """
    replicas = await engine.replicas()
    held = {port.published for replica in replicas if replica.state is State.RUNNING for port in replica.ports}
    variables = port_variables(stack, defaults=True)
    wanted = {port.published for service in project.services.values() for port in service.ports}
    taken: dict[tuple[str, str, str | None], list[Port]] = {}
    for name, service in project.services.items():
        if name not in services and (services or service.profiles):
            continue
        for port in service.ports:
            if port.published is None or port.published in held:
                continue
            holder = await engine.port_holder(port)
            if holder:
                taken.setdefault((name, holder, variables.get(port.published)), []).append(port)
    findings = []
    for (name, holder, variable), ports in taken.items():
        numbers = sorted({port.published or 0 for port in ports})
        free = await engine.next_free(ports[-1], wanted) if len(numbers) == 1 else None
        if free:
            # The next service gets another one.
            wanted.add(free)
        where = "" if variable else await asyncio.to_thread(_written, stack, numbers[0])
        change = f"set {variable} in {stack.env_file}" if variable else f"change the port in {where}"
        more = f"; {free} is free" if free else ""
        are = "is" if len(numbers) == 1 else "are"
        what = f"{_told(numbers)} which {name} wants, {are} taken by {holder}."
        findings.append(Finding(what, f"Stop that, or {change}{more}.", name))
    return findings


def _told(numbers: Sequence[int]) -> str:
    rows: list[list[int]] = []
    for number in numbers:
        if rows and rows[-1][-1] + 1 == number:
            rows[-1].append(number)
        else:
            rows.append([number])
    told = [str(row[0]) if len(row) == 1 else f"{row[0]} to {row[-1]}" for row in rows]
    text = ", ".join(told[:-1]) + " and " + told[-1] if len(told) > 1 else told[0]
    return f"Port{'' if len(numbers) == 1 else 's'} {text},"


def _written(stack: Stack, number: int) -> str:
    """The file and the line where a port is written, else the stack's folder."""
    port = re.compile(rf"(?<!\d){number}(?!\d)")
    for file in stack.files:
        with suppress(OSError):
            for count, line in enumerate(file.read_text("utf-8", "replace").splitlines(), 1):
                if port.search(line.partition("#")[0]):
                    return f"{file}:{count}"
    return str(stack.folder)
