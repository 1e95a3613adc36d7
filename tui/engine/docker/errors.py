"""Docker's error texts as sentences that say what, where and what to do."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import aiohttp

from tui.engine.interface import EngineError, EngineGone
from tui.text import message

TAIL_LINES = 15
# Of what cannot be read.
SHOWN = 200

_GONE = re.compile(r"cannot connect to the docker daemon|error during connect|is the docker daemon running", re.I)
_DENIED = re.compile(r"permission denied", re.I)
_NO_COMPOSE = re.compile(
    r"'compose' is not a docker command|unknown command: docker compose|unknown flag: --file", re.I
)
_PORT_TAKEN = re.compile(r"port is already allocated|address already in use|ports are not available", re.I)
_ADDRESS = re.compile(r"(?:^|[\s/])(?:\d{1,3}(?:\.\d{1,3}){3}|\[[0-9a-f:]*\]|::):(\d{1,5})\b", re.I)
# What compose prints while all goes well, and its warnings.
_STEP = re.compile(r"^\s*(Container|Network|Volume|Image|Service)\s+\S+\s+[A-Z]\w+$|^time=\S+ level=(?:info|warning) ")


class NotThere(EngineError):
    """The engine knows nothing of that name."""


class NotDone(EngineError):
    """The engine does not do that here: it cannot read a log back that its driver took elsewhere."""


def gone(endpoint: str, reason: str) -> EngineGone:
    """An engine that does not answer: where it was looked for, why not, and what to do."""
    if _DENIED.search(reason):
        advice = "This user may not use it: add yourself to the group `docker`, log in again, and retry."
    else:
        advice = (
            "Start Docker Desktop, Colima or `sudo systemctl start docker`, or choose another engine with "
            "DOCKER_HOST or `docker context use NAME`."
        )
    return EngineGone(f"No Docker engine answers at {endpoint}: {message(reason)}. {advice}")


def garbled(endpoint: str, why: object) -> EngineGone:
    """What answers there is no engine, or nothing that can be understood: a proxy's page, a broken answer."""
    return EngineGone(
        f"What answers at {endpoint} cannot be read: {message(str(why))[:SHOWN]}. Is that a Docker engine, and is "
        "there a proxy before it?"
    )


@contextmanager
def translated(endpoint: str) -> Iterator[None]:
    """Turns whatever can go wrong on the wire, and in reading what came over it, into EngineGone."""
    try:
        yield
    except TimeoutError:
        raise gone(endpoint, "it did not answer in time") from None
    except (aiohttp.ClientError, OSError) as error:
        raise gone(endpoint, str(error) or type(error).__name__) from None
    except (ValueError, ArithmeticError, RecursionError) as error:
        # msgspec's errors are ValueErrors, and so is text that is not UTF-8.
        raise garbled(endpoint, error) from None


def explain(action: str, output: Sequence[str], endpoint: str) -> EngineError:
    """The error of a command that failed, with the tail of its own words."""
    words = [line for line in output if line and not _STEP.match(line)] or list(output)
    text = "\n".join(words[-TAIL_LINES:]) or "it said nothing"
    if _GONE.search(text):
        return gone(endpoint, words[-1])
    if _DENIED.search(text) and "docker daemon socket" in text.lower():
        return gone(endpoint, words[-1])
    if _NO_COMPOSE.search(text):
        return EngineError(
            "Docker has no `docker compose` here: install the Compose plugin (package docker-compose-plugin, "
            f"or Docker Desktop). It said: {text}"
        )
    return EngineError(f"{action} failed: {text}")


def taken_port(output: Sequence[str]) -> int | None:
    """The host port that these words say is taken, or None."""
    for line in reversed(output):
        if _PORT_TAKEN.search(line):
            ports = [int(port) for port in _ADDRESS.findall(line) if 0 < int(port) < 65536]
            # "bind host port for 127.0.0.1:8080:172.18.0.2:80": the host's comes first.
            return ports[0] if ports else None
    return None
