"""What a keeper runs: one replica as a process of this machine. Written as JSON beside the replica's state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tui.stack.model import Port


@dataclass(frozen=True, slots=True)
class Ready:
    """How a process is known to be healthy: `url` answers below 400 and, if `text` is given, holds that.

    Without a url: something accepts connections at `port`. Seconds: `interval` between looks, `start` until a look
    that fails counts. `host` is the Host header, where the server wants another name than the address.
    """

    url: str = ""
    text: str = ""
    host: str = ""
    port: int | None = None
    interval: float = 5.0
    start: float = 60.0
    retries: int = 12


@dataclass(frozen=True, slots=True)
class Spec:
    """A replica (or, with a label `run`, a job's run): argument list, whole environment, folder, ports.

    `ports`: `target` as in the compose project, `published` the port of 127.0.0.1 that was allotted. `restart` is
    compose's policy. `grace` in seconds between the stop signal and the end by force. Holds secrets.
    """

    id: str
    name: str
    service: str
    number: int
    command: tuple[str, ...]
    environment: Mapping[str, str]
    folder: str
    ports: tuple[Port, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    ready: Ready | None = None
    restart: str = "no"
    grace: float = 10.0
    created_at: str = ""


@dataclass(frozen=True, slots=True)
class Service:
    """How a service of the project runs here, once its ports are allotted: what `Spec` needs of it."""

    command: tuple[str, ...]
    environment: Mapping[str, str]
    folder: str
    ready: Ready | None = None
    grace: float = 10.0
