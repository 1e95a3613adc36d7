"""The base of the clients: one GET or POST, one bounded JSON answer, errors that say what to do."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Self, TypeVar
from urllib.parse import urlsplit

import msgspec

from tui.clients.text import plain

if TYPE_CHECKING:
    import aiohttp

T = TypeVar("T")

MIB = 1024 * 1024


class Trouble(StrEnum):
    """What went wrong with a request."""

    REFUSED = "refused"
    """Nothing listens there, or the host is not known."""
    TIMEOUT = "timeout"
    DROPPED = "dropped"
    """Something listens but gave no whole HTTP answer."""
    STATUS = "status"
    """A status other than 200 or 201; `ClientError.status` has it."""
    ANSWER = "answer"
    """Not JSON, or other JSON than this system would give."""
    TOO_LARGE = "too-large"


class ClientError(Exception):
    """A request failed. The text is meant for the user: what, where, what to do."""

    def __init__(
        self, kind: Trouble, text: str, *, status: int | None = None, body: str = "", location: str = ""
    ) -> None:
        super().__init__(text)
        self.location = location
        self.kind = kind
        self.status = status
        self.body = body


class HttpClient:
    """JSON over HTTP from one base URL, over a session that `close` ends.

    `timeout` in seconds is for the whole request, `limit` in bytes for an answer's body.
    Raises ValueError if `base_url` is not http or https.
    """

    system = "the server"
    advice = "Check that it runs: sparkdeck status."
    timeout = 4.0
    limit = 16 * MIB

    def __init__(self, base_url: str) -> None:
        parts = urlsplit(base_url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"{plain(base_url)!r} is not an http or https address")
        self.base_url = base_url.rstrip("/")
        self._session: aiohttp.ClientSession | None = None
        # They go with every request.
        self._headers: dict[str, str] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Ends the session; the next request makes another one."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def get(self, path: str, type: type[T], params: Mapping[str, str] | None = None) -> T:
        """The answer to GET as `type`. Raises ClientError."""
        return self._decode(path, await self._request("GET", path, params=params), type)

    async def post(self, path: str, body: object, type: type[T]) -> T:
        """The answer to POST of `body` as JSON, as `type`. Raises ClientError."""
        data = msgspec.json.encode(body)
        headers = {"Content-Type": "application/json"}
        return self._decode(path, await self._request("POST", path, data=data, headers=headers), type)

    def _url(self, path: str) -> str:
        return f"{self.base_url}/{path.lstrip('/')}" if path else self.base_url

    def _error(self, kind: Trouble, path: str, what: str, advice: str = "", **more: Any) -> ClientError:
        url = plain(self._url(path))
        who = self.system[0].upper() + self.system[1:]
        return ClientError(kind, f"{who} at {url} {what}. {advice or self.advice}", **more)

    @property
    def _other_advice(self) -> str:
        return f"Check that {self.system} is what runs there."

    def _open_session(self) -> aiohttp.ClientSession:
        if self._session is None:
            # Only here: importing aiohttp takes longer than the rest of a short command.
            import aiohttp

            # No cookies and no proxy settings: these are services of the user's own stack.
            self._session = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())
        return self._session

    async def _request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        data: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> bytes:
        import aiohttp

        try:
            async with self._open_session().request(
                method,
                self._url(path),
                params=params,
                data=data,
                headers={**self._headers, **(headers or {})},
                timeout=aiohttp.ClientTimeout(total=self.timeout),
                # An answer from a container must not send us elsewhere.
                allow_redirects=False,
            ) as response:
                body = await self._read(path, response)
                status, location = response.status, response.headers.get("Location", "")
        except TimeoutError:
            what = f"did not answer within {self.timeout:g} s"
            raise self._error(Trouble.TIMEOUT, path, what, "It may be starting or busy: try again.") from None
        except aiohttp.ClientConnectorError as error:
            raise self._error(Trouble.REFUSED, path, f"cannot be reached ({_cause(error)})") from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            what = f"gave no whole HTTP answer ({_cause(error)})"
            raise self._error(Trouble.DROPPED, path, what) from None
        if status not in (200, 201):
            text = body[:2000].decode("utf-8", "replace")
            said = "" if _is_html(body) else plain(text, 200)
            what = f"answered with status {status}" + (f": {said.rstrip('.')}" if said else "")
            raise self._error(Trouble.STATUS, path, what, status=status, body=text, location=location)
        return body

    async def _read(self, path: str, response: aiohttp.ClientResponse) -> bytes:
        # Whole, also for errors: a driver whose answer is dropped half way prints stack traces into its log.
        parts: list[bytes] = []
        size = 0
        async for part in response.content.iter_any():
            size += len(part)
            if size > self.limit:
                response.close()
                what = f"answered with more than {self.limit / MIB:g} MiB"
                raise self._error(Trouble.TOO_LARGE, path, what, self._other_advice)
            parts.append(part)
        return b"".join(parts)

    def _decode(self, path: str, body: bytes, type: type[T]) -> T:
        try:
            return msgspec.json.decode(body, type=type)
        except msgspec.ValidationError as error:
            what = f"gave other JSON than expected ({plain(str(error), 120)})"
            raise self._error(Trouble.ANSWER, path, what, self._other_advice) from None
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            what = f"answered with {'an HTML page' if _is_html(body) else 'something else'} instead of JSON"
            raise self._error(Trouble.ANSWER, path, what, self._other_advice) from None


def _is_html(body: bytes) -> bool:
    return body[:200].lstrip().lower().startswith((b"<!doctype", b"<html", b"<head", b"<?xml"))


def _cause(error: BaseException) -> str:
    """The operating system's words where there are any, without aiohttp's wrapping."""
    inner = getattr(error, "os_error", None)
    words = getattr(inner, "strerror", None) or str(error) or type(error).__name__
    return plain(words, 120)
