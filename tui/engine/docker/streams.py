"""Statistics, logs and events of replicas over the Engine API."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Any, TypeVar

import aiohttp
import msgspec

from tui.engine.docker.answers import Actor, Container, Message, Reading
from tui.engine.docker.api import Api
from tui.engine.docker.errors import NotDone, NotThere, gone
from tui.engine.docker.frames import Log
from tui.engine.docker.replicas import PROJECT_LABEL, SERVICE_LABEL, is_ours
from tui.engine.docker.stats import sample
from tui.engine.interface import EngineError, Event, LogLine, Sample

CHUNK = 256 * 1024
# One reading is 3 KB, some more on a machine with hundreds of cores; one event at most its labels.
JSON_LIMIT = 4 * 1024 * 1024
T = TypeVar("T")
# Lines whose times may overlap: both outputs are stamped side by side.
RECENT_LINES = 1000

# Docker's words for what happens, and ours. exec_* is left out: health checks alone make three a second.
EVENTS = {
    "create": "created",
    "start": "started",
    "die": "ended",
    "destroy": "removed",
    "health_status": "health",
    "oom": "out-of-memory",
    "restart": "restarted",
    "kill": "signalled",
    "pause": "paused",
    "unpause": "resumed",
}


async def stats(api: Api, replica_id: str) -> AsyncGenerator[Sample]:
    """Samples of a replica, about one a second, until it ends."""
    path = f"containers/{replica_id}/stats"
    async with (
        api.stream(path, {"stream": 1}, what="No statistics", replica_id=replica_id) as content,
        aclosing(_objects(content, Reading)) as readings,
    ):
        async for reading in readings:
            found = sample(replica_id, reading)
            if found is None:
                # The engine goes on with empty readings for as long as an ended container exists.
                return
            yield found
    await api.answers()


async def logs(
    api: Api, replica_id: str, since_ns: int | None, until_ns: int | None, tail: int | None, follow: bool
) -> AsyncGenerator[LogLine]:
    """Lines of a replica; see the interface."""
    container = await api.inspect(replica_id)
    try:
        async with aclosing(_log(api, container, since_ns, until_ns, tail, follow)) as lines:
            async for line in lines:
                yield line
    except NotDone:
        config = container.host_config and container.host_config.log_config
        driver = f"driver {config.type!r}" if config else "driver of this service"
        raise EngineError(f"There is no log: the engine cannot read back what the logging {driver} takes") from None


async def _log(
    api: Api, container: Container, since_ns: int | None, until_ns: int | None, tail: int | None, follow: bool
) -> AsyncGenerator[LogLine]:
    # Only the engine's own description says whether the stream has frames: 20.10 does not send it along.
    replica_id, tty = container.id, container.config.tty
    seen = 0
    if follow:
        recent: deque[int] = deque(maxlen=RECENT_LINES)
        async with aclosing(_lines(api, Log(replica_id, tty=tty), since_ns, until_ns, tail, follow=True)) as lines:
            async for line in lines:
                recent.append(line.at_ns)
                yield line
        # An engine (seen with 20.10) may end a followed log without the last line if that has no line end.
        # So what came last is read once more; the order of lines is the same.
        if recent:
            since_ns, tail = recent[-1], None
            seen = sum(at_ns >= since_ns for at_ns in recent)
    log = Log(replica_id, tty=tty)
    try:
        async with aclosing(_lines(api, log, since_ns, until_ns, tail, follow=False)) as lines:
            async for line in lines:
                seen -= 1
                if seen < 0:
                    yield line
        for line in log.end():
            seen -= 1
            if seen < 0:
                yield line
    except NotThere:
        if not follow:
            raise


async def _lines(
    api: Api, log: Log, since_ns: int | None, until_ns: int | None, tail: int | None, *, follow: bool
) -> AsyncGenerator[LogLine]:
    params: dict[str, Any] = {
        "stdout": 1,
        "stderr": 1,
        "timestamps": 1,
        "follow": int(follow),
        "tail": "all" if tail is None else tail,
    }
    if since_ns is not None:
        params["since"] = _seconds(since_ns)
    if until_ns is not None:
        params["until"] = _seconds(until_ns)
    path = f"containers/{log.replica_id}/logs"
    async with api.stream(path, params, what="No log", replica_id=log.replica_id) as content:
        while chunk := await content.read(CHUNK):
            for line in log.feed(chunk):
                yield line


async def events(api: Api, project: str, since_ns: int) -> AsyncGenerator[Event]:
    """What happens to a project's replicas and runs, from `since_ns` on, without end."""
    params = {
        "since": _seconds(since_ns),
        "filters": {"type": ["container"], "label": [f"{PROJECT_LABEL}={project}"], "event": list(EVENTS)},
    }
    async with (
        api.stream("events", params, what="No events") as content,
        aclosing(_objects(content, Message)) as messages,
    ):
        async for message in messages:
            found = event(message)
            if found is not None:
                yield found
    raise gone(str(api.endpoint), "it ended its stream of events")


def event(message: Message) -> Event | None:
    """An event from the engine's message; None if it is none of ours."""
    action, _, detail = message.action.partition(": ")
    kind, actor = EVENTS.get(action), message.actor or Actor()
    attributes = actor.attributes or {}
    if kind is None or not is_ours(attributes):
        return None
    if kind == "ended":
        detail = f"exit code {attributes.get('exitCode', 'unknown')}"
    elif kind == "signalled":
        detail = f"signal {attributes.get('signal', 'unknown')}"
    return Event(
        at=datetime.fromtimestamp(message.time_nano / 1e9, UTC),
        kind=kind,
        service=attributes.get(SERVICE_LABEL, ""),
        replica_id=actor.id,
        detail=detail,
    )


def _seconds(ns: int) -> str:
    """A time as the engine's parameters have it."""
    return f"{ns // 1_000_000_000}.{ns % 1_000_000_000:09}"


async def _objects(content: aiohttp.StreamReader, kind: type[T]) -> AsyncGenerator[T]:
    """The JSON objects of a stream, one a line. Raises ValueError for what is none."""
    decoder, rest = msgspec.json.Decoder(kind), b""
    while chunk := await content.read(CHUNK):
        *lines, rest = (rest + chunk).split(b"\n")
        if len(rest) > JSON_LIMIT:
            raise ValueError(f"a message of more than {JSON_LIMIT} bytes")
        for line in lines:
            if line.strip():
                yield decoder.decode(line)
    if rest.strip():
        yield decoder.decode(rest)
