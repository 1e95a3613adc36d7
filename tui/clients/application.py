"""Any application: whether a path of it answers, and with which status."""

from __future__ import annotations

import re
from collections.abc import Iterable

from tui.clients.http import MIB, ClientError, HttpClient, Trouble

USUAL_PATHS = ("/health", "/healthz", "/api/health", "/")
"""Where applications say how they are, the most telling first."""

_URL = re.compile(r"https?://[\w.\[\]:-]*?(?::(\d{1,5}))?(/[\w./?=&%~+-]*)?(?=[\s\"'\\)|;,>]|$)")


def health_url(test: Iterable[str]) -> tuple[int | None, str] | None:
    """Port and path of the address that a health check's command asks; None if it asks none."""
    found = _URL.search(" ".join(test)[:10_000])
    return (int(found[1]) if found[1] else None, found[2] or "/") if found else None


class ApplicationClient(HttpClient):
    """An application of which nothing is known but that it speaks HTTP."""

    system = "the application"
    limit = MIB

    async def status(self, path: str) -> int:
        """The HTTP status of GET. Raises ClientError where there is none."""
        try:
            await self._request("GET", path)
        except ClientError as error:
            if error.status is not None:
                return error.status
            if error.kind is Trouble.TOO_LARGE:
                return 200
            raise
        return 200
