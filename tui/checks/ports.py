"""Are the host ports free that a stack wants to publish?"""

from __future__ import annotations

import re
from collections.abc import Sequence

from tui.checks.finding import Finding
from tui.engine.interface import Engine, State
from tui.stack.environment import read_environment
from tui.stack.model import Project, Stack


async def check_ports(engine: Engine, stack: Stack, project: Project, services: Sequence[str] = ()) -> list[Finding]:
    """Every published port that something else than this stack holds, with its holder and its variable."""
    replicas = await engine.replicas()
    held = {port.published for replica in replicas if replica.state is State.RUNNING for port in replica.ports}
    taken: dict[tuple[str, str, str], list[int]] = {}
    for name, service in project.services.items():
        if name not in services and (services or service.profiles):
            continue
        for port in service.ports:
            if port.published is None or port.published in held:
                continue
            holder = await engine.port_holder(port)
            if holder:
                variable = variable_of(stack, port.published)
                change = f"set {variable} in {stack.env_file}" if variable else f"change the port in {stack.folder}"
                taken.setdefault((name, holder, change), []).append(port.published)
    return [
        Finding(
            f"{_ports(ports)} which {name} wants, {_is(ports)} taken by {holder}.", f"Stop that, or {change}.", name
        )
        for (name, holder, change), ports in taken.items()
    ]


def _ports(ports: list[int]) -> str:
    return f"Port {ports[0]}," if len(ports) == 1 else f"Ports {min(ports)} to {max(ports)},"


def _is(ports: list[int]) -> str:
    return "is" if len(ports) == 1 else "are"


def variable_of(stack: Stack, port: int) -> str | None:
    """The variable whose value or default in the compose files is this port or a range with it, or None."""
    settings = list(read_environment(stack).items())
    for file in stack.files:
        text = file.read_text(encoding="utf-8", errors="replace")
        settings += re.findall(r"\$\{(\w+):?-(\d+(?:-\d+)?)\}", text)
    for name, value in settings:
        match = re.fullmatch(r"(\d+)(?:-(\d+))?", value)
        if match and int(match[1]) <= port <= int(match[2] or match[1]) and "PORT" in name.upper():
            return name
    return None
