"""An object store that speaks the S3 API: its buckets, objects and bytes."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote, urlsplit
from xml.etree import ElementTree

from tui.clients.http import MIB, ClientError, HttpClient, Trouble

DEFAULT_REGION = "us-east-1"
# Of all buckets together: as many requests of a listing, and objects in each.
PAGES, PAGE = 10, 1000
_EMPTY = hashlib.sha256(b"").hexdigest()


@dataclass(frozen=True, slots=True)
class Contents:
    """What a store holds; with `more` there are more objects and bytes than these."""

    buckets: int
    objects: int
    size: int
    more: bool = False


def signature_headers(
    method: str,
    url: str,
    params: Mapping[str, str],
    *,
    user: str,
    password: str,
    region: str,
    now: datetime,
    headers: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """The headers that sign a request without a body: AWS Signature Version 4, service `s3`, as its documentation
    "Authenticating Requests: Using the Authorization Header" describes it. `url` is without query."""
    parts = urlsplit(url)
    stamp, day = now.strftime("%Y%m%dT%H%M%SZ"), now.strftime("%Y%m%d")
    sent = {"x-amz-content-sha256": _EMPTY, "x-amz-date": stamp}
    usual = {"http": ":80", "https": ":443"}[parts.scheme]
    signed = dict(sorted({"host": parts.netloc.removesuffix(usual), **sent, **(headers or {})}.items()))
    names = ";".join(signed)
    query = "&".join(sorted(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in params.items()))
    canonical = "\n".join(
        (method, parts.path or "/", query, *(f"{name}:{value}" for name, value in signed.items()), "", names, _EMPTY)
    )
    scope = f"{day}/{region}/s3/aws4_request"
    to_sign = "\n".join(("AWS4-HMAC-SHA256", stamp, scope, hashlib.sha256(canonical.encode()).hexdigest()))
    key = f"AWS4{password}".encode()
    for word in (day, region, "s3", "aws4_request"):
        key = hmac.digest(key, word.encode(), "sha256")
    signature = hmac.digest(key, to_sign.encode(), "sha256").hex()
    credential = f"Credential={user}/{scope}, SignedHeaders={names}, Signature={signature}"
    return {**sent, **(headers or {}), "Authorization": f"AWS4-HMAC-SHA256 {credential}"}


class ObjectStoreClient(HttpClient):
    """The S3 API with buckets as paths. Without `user` and `password` only `is_live` has an answer."""

    system = "the object store"
    advice = "Check that it runs: sparkdeck status."
    limit = 4 * MIB

    def __init__(self, base_url: str, user: str = "", password: str = "", *, region: str = DEFAULT_REGION) -> None:
        super().__init__(base_url)
        self._user = user
        self._password = password
        self._region = region

    async def is_live(self) -> bool:
        """Whether MinIO's open health page says so; False too of another store. Raises ClientError."""
        try:
            await self._request("GET", "/minio/health/live")
        except ClientError as error:
            if error.kind is Trouble.STATUS:
                return False
            raise
        return True

    async def buckets(self) -> list[str]:
        """The buckets' names. Raises ClientError."""
        root = await self._xml("/", {})
        if _tag(root) != "ListAllMyBucketsResult":
            raise self._error(Trouble.ANSWER, "/", "answered with other XML than expected", self._other_advice)
        return [name.text or "" for name in root.iterfind("{*}Buckets/{*}Bucket/{*}Name")]

    async def contents(self) -> Contents:
        """Counts and bytes of all buckets, as far as `PAGES` requests go. Raises ClientError."""
        names = await self.buckets()
        objects = size = pages = 0
        for name in names:
            token = ""
            while True:
                if pages == PAGES:
                    return Contents(len(names), objects, size, more=True)
                pages += 1
                params = {"list-type": "2", "max-keys": str(PAGE), **({"continuation-token": token} if token else {})}
                root = await self._xml(f"/{quote(name, safe='')}", params)
                sizes = [_number(found.text) for found in root.iterfind("{*}Contents/{*}Size")]
                objects += len(sizes)
                size += sum(sizes)
                token = root.findtext("{*}NextContinuationToken") or ""
                if root.findtext("{*}IsTruncated") != "true" or not token:
                    break
        return Contents(len(names), objects, size)

    async def _xml(self, path: str, params: Mapping[str, str]) -> ElementTree.Element:
        signed = signature_headers(
            *("GET", self._url(path), params),
            user=self._user,
            password=self._password,
            region=self._region,
            now=datetime.now(UTC),
        )
        body = await self._request("GET", path, params=params, headers=signed)
        try:
            # No document type: entities could make a small answer huge.
            if b"<!DOCTYPE" in body:
                raise ElementTree.ParseError
            return ElementTree.fromstring(body)
        except ElementTree.ParseError:
            what = "answered with something else instead of XML"
            raise self._error(Trouble.ANSWER, path, what, self._other_advice) from None


def _tag(element: ElementTree.Element) -> str:
    return element.tag.rpartition("}")[2]


def _number(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 20 else 0
