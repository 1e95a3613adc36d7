"""Whatever comes over the socket is an answer or one typed error, and is asked for again as if nothing had been."""

from __future__ import annotations

import asyncio
import itertools
import os
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.bench.containers import Container
from tests.bench.loopback import Engine as Loopback
from tests.bench.loopback import chunk, send
from tui.engine.choose import EngineKind, open_engine
from tui.engine.docker import cleanup, streams
from tui.engine.docker.answers import Machine, Top, Version
from tui.engine.docker.api import Api, Endpoint
from tui.engine.docker.errors import NotThere
from tui.engine.interface import EngineError, EngineGone
from tui.stack.model import Stack
from tui.watch.live import StackWatch

HTML = b"<!DOCTYPE html><html><body>Sign in</body></html>"
DEEP = b"[" * 100_000
REPLICA = "a" * 64
BROKEN = {
    "a page": ("200 OK", "text/html", HTML),
    "a page that says it is JSON": ("200 OK", "application/json", HTML),
    "a bad gateway": ("502 Bad Gateway", "text/html", HTML),
    "a proxy's not found": ("404 Not Found", "text/html", HTML),
    "a way to sign in": ("302 Found\r\nLocation: /login", "text/html", HTML),
    "deep lists": ("200 OK", "application/json", DEEP),
    "deep objects": ("200 OK", "application/json", b'{"Labels":' * 100_000),
    "a deep refusal": ("500 No", "application/json", DEEP),
    "half an answer": ("200 OK", "application/json", b'[{"Id": "a'),
    "another form": ("200 OK", "application/json", b'{"Version": [], "Containers": 7, "Titles": {}, "NCPU": "two"}'),
    "null": ("200 OK", "application/json", b"null"),
    "not UTF-8": ("200 OK", "application/json", b'[{"Id": "\xff\xfe"}]'),
    "nothing": ("200 OK", "application/json", b""),
    "no HTTP": ("\x00\xff", "x", b"SSH-2.0-OpenSSH_9.2"),
}


class Wire:
    """An engine whose every answer is `answer`: status, content type, body."""

    def __init__(self, socket: Path) -> None:
        self.socket = socket
        self.answer = BROKEN["a page"]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        status, kind, body = self.answer
        head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        writer.write(head.encode("latin-1") + body)
        writer.close()


@asynccontextmanager
async def wire(folder: Path) -> AsyncGenerator[tuple[Wire, Api]]:
    here = Wire(folder / "engine.sock")
    api = Api(Endpoint("default", f"unix://{here.socket}"))
    try:
        async with await asyncio.start_unix_server(here.serve, here.socket):
            yield here, api
    finally:
        await api.close()


async def everything(stream: AsyncGenerator[Any]) -> list[Any]:
    async with aclosing(stream):
        return [one async for one in stream]


ASKED: dict[str, Callable[[Api], Any]] = {
    "version": lambda api: api.query(Version, "version"),
    "machine": lambda api: api.query(Machine, "info"),
    "containers": lambda api: cleanup.containers(api, "p"),
    "container": lambda api: api.inspect(REPLICA),
    "record": lambda api: api.record(REPLICA),
    "processes": lambda api: api.query(Top, "top"),
    "removables": lambda api: cleanup.removables(api, "p", ()),
    "stats": lambda api: everything(streams.stats(api, REPLICA)),
    "logs": lambda api: everything(streams.logs(api, REPLICA, None, None, None, False)),
    "events": lambda api: everything(streams.events(api, "p", 0)),
}


@pytest.mark.parametrize("broken", BROKEN)
async def test_what_cannot_be_read_is_one_error(tmp_path: Path, broken: str) -> None:
    async with wire(tmp_path) as (here, api):
        here.answer = BROKEN[broken]
        for what, ask in ASKED.items():
            # As the statistics of what has ended are; a record may have any form.
            if (what, broken) in (("stats", "nothing"), ("stats", "another form"), ("record", "another form")):
                continue
            with pytest.raises(EngineGone) as caught:
                await ask(api)
            assert not isinstance(caught.value, NotThere), what
            assert str(here.socket) in str(caught.value) and "<!DOCTYPE html><html>\n" not in str(caught.value), what
            assert len(str(caught.value)) < 700
        # And it recovers.
        here.answer = ("200 OK", "application/json", b"[]")
        assert await cleanup.containers(api, "p") == []


async def test_an_engines_own_no_is_its_words(tmp_path: Path) -> None:
    async with wire(tmp_path) as (here, api):
        here.answer = ("404 Not Found", "application/json", b'{"message": "No such container: a"}')
        with pytest.raises(NotThere, match="This replica cannot be read: No such container: a"):
            await api.inspect("a")
        here.answer = ("409 Conflict", "application/json", b'{"message": "in use"}')
        with pytest.raises(EngineError, match=r"^in use$"):
            await api.call("containers/a", "DELETE")
        here.answer = ("304 Not Modified", "text/plain", b"")
        await api.call("containers/a/start", "POST")


async def test_an_event_with_an_impossible_time(tmp_path: Path) -> None:
    async with wire(tmp_path) as (here, api):
        here.answer = ("200 OK", "application/json", b'{"Action": "die", "timeNano": 1' + b"0" * 40 + b"}\n")
        with pytest.raises(EngineGone, match="cannot be read"):
            await everything(streams.events(api, "p", 0))


@pytest.mark.parametrize("broken", ["a page", "deep lists"])
async def test_the_command_line_says_so(tmp_path: Path, broken: str) -> None:
    (tmp_path / "compose.yaml").write_text("services: {a: {image: x}}\n")
    async with wire(tmp_path) as (here, _):
        here.answer = BROKEN[broken]
        env = {**os.environ, "DOCKER_HOST": f"unix://{here.socket}"}
        run = [str(Path(sys.executable).with_name("sparkdeck")), "--engine", "docker", "status", str(tmp_path)]
        done = await asyncio.to_thread(subprocess.run, run, env=env, capture_output=True, text=True, timeout=60)
    assert done.returncode == 3, done
    assert done.stderr.startswith("error: ") and "cannot be read" in done.stderr and "Traceback" not in done.stderr


class Broken(Loopback):
    """Answers with a page while `page`; spoils the next `garbled` pieces of a log and cuts them off."""

    page = False
    garbled = 0

    async def answer(self, writer: asyncio.StreamWriter, method: str, path: str, query: dict[str, str]) -> None:
        if self.page:
            send(writer, HTML, kind="text/html")
        else:
            await super().answer(writer, method, path, query)

    async def lines(self, writer: asyncio.StreamWriter, container: Container, at: int, end: int, stamps: bool) -> int:
        if self.garbled and at < end:
            self.garbled -= 1
            chunk(writer, [*itertools.islice(container.frames(at, end), 1), b"\x07\xff garbled \x00\x00 frames"])
            await writer.drain()
            raise ConnectionError
        return await super().lines(writer, container, at, end, stamps)


@pytest.mark.engine
async def test_the_watch_recovers_and_no_line_is_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "compose.yaml").write_text("name: p\nservices: {service-01: {image: x}}\n")
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/engine.sock")
    monkeypatch.delenv("DOCKER_CONTEXT", raising=False)
    broken = Broken("p", 1)
    (container,) = broken.containers
    async with await asyncio.start_unix_server(broken.serve, tmp_path / "engine.sock"):
        stack = Stack("test", tmp_path, (tmp_path / "compose.yaml",), tmp_path)
        engine = await open_engine(stack, EngineKind.DOCKER)
        watch = StackWatch(engine, stack, await engine.project())

        async def until(reached: Callable[[], object]) -> None:
            async with asyncio.timeout(30):
                while not reached():  # noqa: ASYNC110
                    await asyncio.sleep(0.01)

        try:
            await watch.start()
            container.set_rate(100)
            await until(lambda: watch.panes and next(iter(watch.panes.values())).log.total > 10)
            (pane,) = watch.panes.values()
            broken.garbled = 3
            await until(lambda: not broken.garbled)
            broken.page = True
            # What is open goes on; what is asked anew gets the page.
            await watch.refresh()
            assert watch.outage is not None and "cannot be read" in watch.outage.text and pane.replica is not None
            broken.page = False
            await until(lambda: watch.outage is None)
            container.set_rate(0)
            last = f"#{container.written(time.time_ns()) - 1}"
            await until(lambda: any(entry.text.endswith(last) for entry in pane.log.rows(0, pane.log.total)))
            texts = [entry.text for entry in pane.log.rows(0, pane.log.total)]
            numbers = [int(text.rpartition("#")[2]) for text in texts if " #" in text]
            assert numbers == list(range(numbers[0], numbers[-1] + 1))
            assert any("cannot be read any further" in text for text in texts)
            assert not any("removed" in text or "ended" in text for text in texts)
        finally:
            await watch.close()
            await engine.close()
