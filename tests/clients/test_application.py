"""Where an application says how it is: the address in its health check, and the status there."""

from __future__ import annotations

import pytest
from aiohttp import web

from tests.clients.conftest import Serve
from tui.clients.application import ApplicationClient, health_url


@pytest.mark.parametrize(
    ("test", "found"),
    [
        (("CMD", "curl", "-fsS", "http://localhost:8000/health"), (8000, "/health")),
        (("CMD-SHELL", "curl -fsS http://localhost:8080/json/ | grep -q ALIVE"), (8080, "/json/")),
        (("CMD-SHELL", "curl -f 'http://127.0.0.1/a?b=1' || exit 1"), (None, "/a?b=1")),
        (("CMD-SHELL", "wget -qO- http://app:4141 >/dev/null"), (4141, "/")),
        (("CMD", "python3", "-c", "urllib.request.urlopen('http://localhost:8050/_alive').read()"), (8050, "/_alive")),
        (("CMD", "curl", "http://[::1]:99/x"), (99, "/x")),
        (("CMD", "pg_isready"), None),
        (("CMD-SHELL", "curl http://localhost:$PORT/health"), None),
        ((), None),
    ],
)
def test_the_address_of_a_health_check(test: tuple[str, ...], found: tuple[int | None, str] | None) -> None:
    assert health_url(test) == found


async def test_every_status_is_an_answer(serve: Serve) -> None:
    async def answer(request: web.Request) -> web.Response:
        if request.path == "/big":
            return web.Response(body=b"x" * 3 * 1024 * 1024)
        return web.Response(status=int(request.path[1:]), text="<html>", headers={"Location": "http://elsewhere/"})

    async with ApplicationClient(await serve(answer)) as client:
        assert [await client.status(f"/{status}") for status in (200, 302, 404, 503)] == [200, 302, 404, 503]
        assert await client.status("/big") == 200
