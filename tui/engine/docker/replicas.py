"""What the engine tells of a container as a replica. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime

from tui.engine.docker import answers
from tui.engine.docker.answers import Binding, Container, NetworkSettings
from tui.engine.interface import Health, Replica, State
from tui.stack.model import Port

PROJECT_LABEL = "com.docker.compose.project"
SERVICE_LABEL = "com.docker.compose.service"
NUMBER_LABEL = "com.docker.compose.container-number"
FOLDER_LABEL = "com.docker.compose.project.working_dir"
FILES_LABEL = "com.docker.compose.project.config_files"
ONE_OFF_LABEL = "com.docker.compose.oneoff"
OWN_PREFIX = "sparkdeck."
RUN_LABEL = f"{OWN_PREFIX}run"

_STATES = {
    "created": State.CREATED,
    "running": State.RUNNING,
    "paused": State.PAUSED,
    "restarting": State.RESTARTING,
    "removing": State.ENDED,
    "exited": State.ENDED,
    "dead": State.ENDED,
}
# Nanoseconds are more than datetime takes.
_FRACTION = re.compile(r"(\.\d{6})\d+")


def moment(value: str) -> datetime | None:
    """A time as the engine writes it; its zero time (year 1) and anything else is None."""
    if value.startswith("0001-"):
        return None
    try:
        at = datetime.fromisoformat(_FRACTION.sub(r"\1", value))
    except ValueError:
        return None
    return at if at.tzinfo else None


def is_ours(labels: Mapping[str, str]) -> bool:
    """Whether these labels are of a replica of the stack or of a run, not of somebody's `compose run`."""
    return labels.get(ONE_OFF_LABEL, "False") != "True" or RUN_LABEL in labels


def replica(container: Container) -> Replica:
    """A container as a replica."""
    state, config = container.state, container.config
    labels = config.labels or {}
    settings = container.network_settings or NetworkSettings()
    networks = [one for one in (settings.networks or {}).values() if one]
    name = container.name.removeprefix("/")
    what = _STATES.get(state.status, State.UNKNOWN)
    number = labels.get(NUMBER_LABEL, "")
    started, ended = moment(state.started_at), moment(state.finished_at)
    if started and ended:
        # The engine notes the start of what ends at once a few milliseconds after its end.
        ended = max(started, ended)
    health = state.health or answers.Health()
    return Replica(
        id=container.id,
        name=name,
        service=labels.get(SERVICE_LABEL, ""),
        number=int(number) if number.isdecimal() else 0,
        state=what,
        health=Health(health.status) if health.status in set(Health) else Health.NONE,
        health_output=health.log[-1].output.strip() if health.log else "",
        exit_code=state.exit_code if what is State.ENDED else None,
        out_of_memory=state.out_of_memory,
        restarts=container.restart_count,
        created_at=moment(container.created),
        started_at=started,
        ended_at=ended if what is State.ENDED else None,
        image=config.image,
        ports=_ports(settings.ports or {}),
        addresses=tuple(address for one in networks for address in (one.ipv4, one.ipv6) if address),
        host=name,
        names=(config.hostname, *(name for one in networks for name in (*(one.aliases or ()), *(one.dns_names or ())))),
        command=(container.path, *(container.args or ())),
        folder=labels.get(FOLDER_LABEL, ""),
        files=tuple(name for name in labels.get(FILES_LABEL, "").split(",") if name),
        labels={key.removeprefix(OWN_PREFIX): v for key, v in labels.items() if key.startswith(OWN_PREFIX)},
    )


def _ports(bindings: Mapping[str, list[Binding] | None]) -> tuple[Port, ...]:
    ports = []
    for inside, outside in bindings.items():
        target, _, protocol = inside.partition("/")
        for binding in outside or ():
            if target.isdecimal() and binding.host_port.isdecimal():
                ports.append(Port(int(target), int(binding.host_port), binding.host_ip, protocol or "tcp"))
    return tuple(sorted(ports, key=lambda port: (port.target, port.published, port.host)))
