"""Any application: whether a path of it answers, and with which status."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import urljoin, urlsplit

from tui.clients.http import MIB, ClientError, HttpClient, Trouble

USUAL_PATHS = ("/health", "/healthz", "/api/health", "/")
"""Where applications say how they are, the most telling first."""

MOST_STEPS = 5

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
        """The HTTP status of GET, behind redirects on the same server. Raises ClientError where there is none."""
        status = 0
        for _ in range(MOST_STEPS):
            try:
                await self._request("GET", path)
            except ClientError as error:
                if error.kind is Trouble.TOO_LARGE:
                    return 200
                if error.status is None:
                    raise
                status = error.status
                onward = self._here(path, error.location) if 300 <= status < 400 else None
                if onward is None:
                    return status
                path = onward
            else:
                return 200
        return status

    def _here(self, path: str, location: str) -> str | None:
        """Where a redirect leads, if that is this very server."""
        try:
            wanted = urlsplit(urljoin(self._url(path), location))
        except ValueError:
            return None
        base = urlsplit(self.base_url)
        if not location or (wanted.scheme, wanted.netloc) != (base.scheme, base.netloc):
            return None
        inside = wanted.path.removeprefix(base.path.rstrip("/"))
        return f"{inside}?{wanted.query}" if wanted.query else inside
