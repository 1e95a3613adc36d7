"""A Docker Engine API behind which nothing runs: `python -m tests.bench.loopback SOCKET PROJECT N`.

It listens on a unix socket, and on a TCP port of 127.0.0.1 that is the target of the link `SOCKET.port`.

It speaks what DockerEngine, `docker stats` and `docker logs` ask for. As dockerd does, it sends every log line as an
HTTP chunk of its own. `POST /bench/rate?lines=5000&only=1` sets how many lines a second the first `only` containers
write (all without), each its share; `GET /bench/counts` tells how many lines were written and sent.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import re
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from tests.bench.containers import Container, dump

API = "1.43"
TICK_SECONDS = 0.005
_VERSION = re.compile(r"^/v\d+\.\d+")
_MOST = 5000

Query = dict[str, str]


class Engine:
    """The engine's state and its answers."""

    def __init__(self, project: str, count: int) -> None:
        self.containers = [Container(project, f"service-{number:02}", number) for number in range(1, count + 1)]

    def find(self, key: str) -> Container | None:
        """A container by id, the beginning of one, or name."""
        return next((one for one in self.containers if one.id.startswith(key) or one.name == key), None)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection: requests one after the other."""
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                first, *fields = head.decode("latin-1").split("\r\n")
                method, target, _ = first.split(" ")
                length = next((int(one[15:]) for one in fields if one.lower().startswith("content-length:")), 0)
                await reader.readexactly(length)
                parts = urlsplit(target)
                query = {key: values[-1] for key, values in parse_qs(parts.query).items()}
                await self.answer(writer, method, _VERSION.sub("", parts.path), query)
                await writer.drain()
        except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
            # In a test the loop ends with streams still open.
            pass
        finally:
            writer.close()

    async def answer(self, writer: asyncio.StreamWriter, method: str, path: str, query: Query) -> None:
        match path.strip("/").split("/"):
            case ["_ping"]:
                send(writer, b"" if method == "HEAD" else b"OK", kind="text/plain")
            case ["version"]:
                send(writer, dump({"Version": "loopback", "ApiVersion": API, "MinAPIVersion": "1.24", "Os": "linux"}))
            case ["info"]:
                send(writer, dump({"ID": "loopback", "NCPU": 2, "OSType": "linux", "SecurityOptions": []}))
            case ["containers", "json"]:
                send(writer, dump([one.listed() for one in self.containers]))
            case ["containers", key, what] if container := self.find(key):
                await self.of_container(writer, container, what, query)
            case ["events"]:
                begin(writer, "application/json")
                await asyncio.Event().wait()
            case ["networks"] | ["images", "json"]:
                send(writer, dump([]))
            case ["volumes"]:
                send(writer, dump({"Volumes": []}))
            case ["bench", "rate"]:
                some = self.containers[: int(query.get("only", _MOST))]
                for one in some:
                    one.set_rate(float(query["lines"]) / len(some))
                send(writer, dump({}))
            case ["bench", "counts"]:
                now = time.time_ns()
                counts = [{"written": one.written(now), "sent": one.sent} for one in self.containers]
                send(writer, dump(counts))
            case _:
                send(writer, dump({"message": f"nothing at {path}"}), status="404 Not Found")

    async def of_container(self, writer: asyncio.StreamWriter, container: Container, what: str, query: Query) -> None:
        if what == "json":
            send(writer, dump(container.inspected()))
        elif what == "stats" and query.get("stream", "1") in ("1", "true"):
            begin(writer, "application/json")
            for beat in itertools.count():
                # A little more and less, so that there is something to draw each second.
                chunk(writer, [dump(container.reading(0.12 + 0.05 * ((beat + container.number) % 5)))])
                await writer.drain()
                await asyncio.sleep(1)
        elif what == "stats":
            send(writer, dump(container.reading(0.12)))
        elif what == "logs":
            begin(writer, "application/vnd.docker.multiplexed-stream")
            await self.log(writer, container, query)
            writer.write(b"0\r\n\r\n")
        else:
            send(writer, dump({"message": f"a container has no {what} here"}), status="404 Not Found")

    async def log(self, writer: asyncio.StreamWriter, container: Container, query: Query) -> None:
        end = container.written(time.time_ns())
        tail = query.get("tail", "all")
        at = 0 if tail == "all" else max(0, end - int(tail))
        at = max(at, first(container, at, end, nanoseconds(query.get("since")), lambda one, limit: one >= limit))
        until = nanoseconds(query.get("until"))
        last = first(container, at, end, until, lambda one, limit: one > limit) if until else end
        stamps = query.get("timestamps") in ("1", "true")
        at = await self.lines(writer, container, at, last, stamps)
        if query.get("follow") not in ("1", "true"):
            return
        while True:
            await asyncio.sleep(TICK_SECONDS)
            at = await self.lines(writer, container, at, container.written(time.time_ns()), stamps)

    async def lines(self, writer: asyncio.StreamWriter, container: Container, at: int, end: int, stamps: bool) -> int:
        while at < end:
            stop = min(end, at + _MOST)
            frames = container.frames(at, stop)
            chunk(writer, frames if stamps else map(unstamped, frames))
            container.sent += stop - at
            at = stop
            await writer.drain()
        return end


def first(container: Container, low: int, high: int, limit: int | None, reached: Callable[[int, int], bool]) -> int:
    """The first line of `low` to `high` whose time has reached the limit."""
    if limit is None:
        return low
    while low < high:
        middle = (low + high) // 2
        if reached(container.at(middle), limit):
            high = middle
        else:
            low = middle + 1
    return low


def nanoseconds(value: str | None) -> int | None:
    """A time parameter, `seconds.nanoseconds`; without one, or 0, there is no limit."""
    if not value or value == "0":
        return None
    seconds, _, rest = value.partition(".")
    return int(seconds) * 1_000_000_000 + int((rest + "0" * 9)[:9])


def unstamped(frame: bytes) -> bytes:
    text = frame[39:]
    return frame[:4] + len(text).to_bytes(4) + text


def send(writer: asyncio.StreamWriter, body: bytes, *, status: str = "200 OK", kind: str = "application/json") -> None:
    head = f"HTTP/1.1 {status}\r\nApi-Version: {API}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
    writer.write(head.encode() + body)


def begin(writer: asyncio.StreamWriter, kind: str) -> None:
    head = f"HTTP/1.1 200 OK\r\nApi-Version: {API}\r\nContent-Type: {kind}\r\nTransfer-Encoding: chunked\r\n\r\n"
    writer.write(head.encode())


def chunk(writer: asyncio.StreamWriter, parts: Iterable[bytes]) -> None:
    """Each part as a chunk of its own."""
    writer.write(b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts))


async def ask(socket: Path, method: str, target: str) -> object:
    """The benchmark's own questions."""
    reader, writer = await asyncio.open_unix_connection(socket)
    writer.write(f"{method} {target} HTTP/1.1\r\nHost: loopback\r\n\r\n".encode())
    head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
    length = int(head.partition("content-length: ")[2].split("\r\n")[0])
    body = await reader.readexactly(length)
    writer.close()
    return json.loads(body)


async def main() -> None:
    socket, project, count = sys.argv[1:]
    serve = Engine(project, int(count)).serve
    distant = await asyncio.start_server(serve, "127.0.0.1", 0)
    Path(f"{socket}.port").symlink_to(str(distant.sockets[0].getsockname()[1]))
    async with distant, await asyncio.start_unix_server(serve, socket) as server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
