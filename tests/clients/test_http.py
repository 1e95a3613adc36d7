"""What can go wrong between a client and a server, and what the user is told."""

from __future__ import annotations

import asyncio
import gzip
import socket
import time
from collections.abc import Awaitable, Callable

import pytest
from aiohttp import web

from tui.clients.http import MIB, ClientError, HttpClient, Trouble
from tui.clients.text import plain

Serve = Callable[[Callable[[web.Request], Awaitable[web.StreamResponse]]], Awaitable[str]]


async def trouble(url: str, *, timeout: float = 3.0) -> ClientError:
    async with HttpClient(url) as client:
        client.timeout, client.limit = timeout, MIB
        with pytest.raises(ClientError) as caught:
            await client.get("/thing", dict[str, int])
    assert "Traceback" not in str(caught.value) and "\n" not in str(caught.value)
    assert url in str(caught.value), "the message says where"
    return caught.value


async def test_json_is_read_whatever_its_content_type(serve: Serve) -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(body=b'{"a": 1}', content_type="text/json")

    async with HttpClient(await serve(answer)) as client:
        assert await client.get("/thing", dict[str, int]) == {"a": 1}


async def test_html_with_status_200_is_a_wrong_answer(serve: Serve) -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(text="<!DOCTYPE html><html>a page</html>", content_type="text/html")

    error = await trouble(await serve(answer))
    assert error.kind is Trouble.ANSWER
    assert "HTML" in str(error)


@pytest.mark.parametrize("body", [b"", b"{", b'{"a": "\xff"}', b'{"a":' + b"[" * 100_000, b'{"a": "text"}', b"[]"])
async def test_broken_and_other_json_is_a_wrong_answer(serve: Serve, body: bytes) -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(body=body, content_type="application/json")

    assert (await trouble(await serve(answer))).kind is Trouble.ANSWER


async def test_a_status_is_told_with_the_servers_words_made_harmless(serve: Serve) -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(status=403, text="no \x1b[31mentry\x1b]0;title\x07 here\n" + "x" * 10_000)

    error = await trouble(await serve(answer))
    assert (error.kind, error.status) == (Trouble.STATUS, 403)
    assert "403" in str(error) and "entry" in str(error)
    assert str(error).isprintable() and len(str(error)) < 500


async def test_a_redirect_is_not_followed(serve: Serve) -> None:
    asked: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(request.path)
        raise web.HTTPFound("/elsewhere")

    error = await trouble(await serve(answer))
    assert (error.kind, error.status) == (Trouble.STATUS, 302)
    assert asked == ["/thing"]


async def test_a_slow_server_times_out(serve: Serve) -> None:
    release = asyncio.Event()

    async def answer(request: web.Request) -> web.Response:
        await release.wait()
        return web.Response(text="{}")

    url = await serve(answer)
    began = time.monotonic()
    error = await trouble(url, timeout=0.3)
    release.set()
    assert error.kind is Trouble.TIMEOUT
    assert time.monotonic() - began < 3
    assert "0.3 s" in str(error)


async def test_a_body_that_drips_times_out_as_a_whole(serve: Serve) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        try:
            while True:
                await response.write(b" ")
                await asyncio.sleep(0.05)
        except ConnectionError:
            return response

    assert (await trouble(await serve(answer), timeout=0.4)).kind is Trouble.TIMEOUT


async def test_a_huge_body_is_given_up_early(serve: Serve) -> None:
    sent = 0

    async def answer(request: web.Request) -> web.StreamResponse:
        nonlocal sent
        response = web.StreamResponse()
        await response.prepare(request)
        try:
            while sent < 200 * MIB:
                await response.write(b" " * 65536)
                sent += 65536
        except ConnectionError:
            pass
        return response

    error = await trouble(await serve(answer))
    assert error.kind is Trouble.TOO_LARGE
    assert sent < 50 * MIB


async def test_a_compressed_body_counts_unpacked(serve: Serve) -> None:
    packed = gzip.compress(b" " * (64 * MIB))

    async def answer(request: web.Request) -> web.Response:
        return web.Response(body=packed, headers={"Content-Encoding": "gzip"})

    assert (await trouble(await serve(answer))).kind is Trouble.TOO_LARGE


@pytest.mark.parametrize("said", [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"])
async def test_a_dropped_connection_is_no_answer(said: bytes) -> None:
    async def drop(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(said)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(drop, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        assert (await trouble(f"http://127.0.0.1:{port}")).kind is Trouble.DROPPED


async def test_nothing_listening_is_refused() -> None:
    with socket.socket() as taken:
        # Bound but not listening: refused, and no other program can take the port meanwhile.
        taken.bind(("127.0.0.1", 0))
        error = await trouble(f"http://127.0.0.1:{taken.getsockname()[1]}")
    assert error.kind is Trouble.REFUSED
    assert "sparkdeck status" in str(error), "the message says what to do"


async def test_an_unknown_host_is_refused() -> None:
    assert (await trouble("http://no-such-host.invalid:1")).kind is Trouble.REFUSED


async def test_the_session_is_closed_and_made_again(serve: Serve) -> None:
    ports = set()

    async def answer(request: web.Request) -> web.Response:
        assert request.transport is not None
        ports.add(request.transport.get_extra_info("peername")[1])
        return web.json_response({"a": 1})

    client = HttpClient(await serve(answer))
    for _ in range(3):
        await client.get("/", dict[str, int])
    assert len(ports) == 1, "one connection is kept"
    await client.close()
    await client.get("/", dict[str, int])
    await client.close()
    assert len(ports) == 2


@pytest.mark.parametrize("url", ["file:///etc/passwd", "localhost:8080", "http://", "javascript:alert(1)"])
def test_only_http_addresses(url: str) -> None:
    with pytest.raises(ValueError, match="http"):
        HttpClient(url)


def test_plain_text() -> None:
    assert plain("a\x1b[2Jb\r\nc\u202ed") == "a [2Jb c d"
    assert len(plain("x" * 1_000_000, 50)) == 50
    assert plain("short") == "short"
