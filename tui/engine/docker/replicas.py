"""What the engine tells of a container as a replica. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from tui.engine.interface import Health, Replica, State
from tui.stack.model import Port

PROJECT_LABEL = "com.docker.compose.project"
SERVICE_LABEL = "com.docker.compose.service"
NUMBER_LABEL = "com.docker.compose.container-number"
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


def moment(value: Any) -> datetime | None:
    """A time as the engine writes it; its zero time (year 1) and anything else is None."""
    if not isinstance(value, str) or not value or value.startswith("0001-"):
        return None
    try:
        at = datetime.fromisoformat(_FRACTION.sub(r"\1", value))
    except ValueError:
        return None
    return at if at.tzinfo else None


def is_ours(labels: Mapping[str, str]) -> bool:
    """Whether these labels are of a replica of the stack or of a run, not of somebody's `compose run`."""
    return labels.get(ONE_OFF_LABEL, "False") != "True" or RUN_LABEL in labels


def replica(inspected: Mapping[str, Any]) -> Replica:
    """A replica from `GET /containers/ID/json`."""
    state = inspected.get("State") or {}
    config = inspected.get("Config") or {}
    labels: Mapping[str, str] = config.get("Labels") or {}
    networks = (inspected.get("NetworkSettings") or {}).get("Networks") or {}
    name = str(inspected.get("Name", "")).removeprefix("/")
    what = _STATES.get(state.get("Status", ""), State.UNKNOWN)
    number = labels.get(NUMBER_LABEL, "")
    started, ended = moment(state.get("StartedAt")), moment(state.get("FinishedAt"))
    if started and ended:
        # The engine notes the start of what ends at once a few milliseconds after its end.
        ended = max(started, ended)
    checks = (state.get("Health") or {}).get("Log") or ()
    return Replica(
        id=str(inspected["Id"]),
        name=name,
        service=labels.get(SERVICE_LABEL, ""),
        number=int(number) if number.isdecimal() else 0,
        state=what,
        health=_health(state),
        health_output=str(checks[-1].get("Output", "")).strip() if checks else "",
        exit_code=state.get("ExitCode") if what is State.ENDED else None,
        out_of_memory=bool(state.get("OOMKilled")),
        restarts=int(inspected.get("RestartCount") or 0),
        created_at=moment(inspected.get("Created")),
        started_at=started,
        ended_at=ended if what is State.ENDED else None,
        image=str(config.get("Image", "")),
        ports=_ports((inspected.get("NetworkSettings") or {}).get("Ports") or {}),
        addresses=tuple(
            network[key]
            for network in networks.values()
            for key in ("IPAddress", "GlobalIPv6Address")
            if network.get(key)
        ),
        host=name,
        names=(
            str(config.get("Hostname") or ""),
            *(str(name) for one in networks.values() for key in ("Aliases", "DNSNames") for name in one.get(key) or ()),
        ),
        command=(str(inspected.get("Path", "")), *map(str, inspected.get("Args") or ())),
        labels={key.removeprefix(OWN_PREFIX): v for key, v in labels.items() if key.startswith(OWN_PREFIX)},
    )


def _health(state: Mapping[str, Any]) -> Health:
    try:
        return Health((state.get("Health") or {}).get("Status", "none"))
    except ValueError:
        return Health.NONE


def _ports(bindings: Mapping[str, Any]) -> tuple[Port, ...]:
    ports = []
    for inside, outside in bindings.items():
        target, _, protocol = inside.partition("/")
        for binding in outside or ():
            published = str(binding.get("HostPort", ""))
            if target.isdecimal() and published.isdecimal():
                ports.append(Port(int(target), int(published), binding.get("HostIp", ""), protocol or "tcp"))
    return tuple(sorted(ports, key=lambda port: (port.target, port.published, port.host)))
