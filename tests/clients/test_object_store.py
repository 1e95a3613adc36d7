"""An object store's contents, read from answers of a real MinIO, and requests signed as its documentation shows."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aiohttp import web

from tests.clients.conftest import Serve
from tui.clients import object_store
from tui.clients.http import ClientError, Trouble
from tui.clients.object_store import Contents, ObjectStoreClient, signature_headers


def test_the_signature_is_the_one_of_the_documentation() -> None:
    """Amazon S3, "Signature Calculations for the Authorization Header": the examples GET Bucket (List Objects) and
    GET Bucket Lifecycle."""

    def signed(params: dict[str, str]) -> str:
        headers = signature_headers(
            *("GET", "https://examplebucket.s3.amazonaws.com/", params),
            user="AKIAIOSFODNN7EXAMPLE",
            password="wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            region="us-east-1",
            now=datetime(2013, 5, 24, tzinfo=UTC),
        )
        return headers["Authorization"].rpartition("Signature=")[2]

    listing = "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"
    assert signed({"prefix": "J", "max-keys": "2"}) == listing
    assert signed({"lifecycle": ""}) == "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"


class Store:
    """What answers as MinIO did, two objects a page."""

    def __init__(self, captures: Path) -> None:
        self.answers = json.loads((captures / "minio.json").read_text())
        self.asked: list[str] = []
        self.truncated = False
        """Whether every page says that there is one more."""

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append(request.path_qs)
        assert request.headers["Authorization"].startswith("AWS4-HMAC-SHA256 Credential=me/")
        for answer in self.answers:
            if answer["path"] == request.path and answer["params"] == dict(request.query):
                body = answer["body"]
                if self.truncated:
                    more = "<IsTruncated>true</IsTruncated><NextContinuationToken>a+/=b</NextContinuationToken>"
                    body = body.replace("<IsTruncated>false</IsTruncated>", more)
                return web.Response(text=body, content_type="application/xml")
        assert self.truncated and request.query["continuation-token"] == "a+/=b"
        return web.Response(text=self.answers[1]["body"], content_type="application/xml")


async def test_pages_are_read_to_their_end(serve: Serve, captures: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(object_store, "PAGE", 2)
    store = Store(captures)
    async with ObjectStoreClient(await serve(store.answer), "me", "secret") as client:
        assert await client.buckets() == ["spark-data", "spark-output"]
        assert await client.contents() == Contents(2, 3, 100_004)


async def test_a_huge_store_is_counted_to_a_bound(
    serve: Serve, captures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(object_store, "PAGE", 2)
    store = Store(captures)
    store.truncated = True
    async with ObjectStoreClient(await serve(store.answer), "me", "secret") as client:
        found = await client.contents()
    assert found.more and len(store.asked) == 1 + object_store.PAGES
    assert (found.buckets, found.objects) == (2, (2 + 1) * object_store.PAGES // 2)


@pytest.mark.parametrize(
    "body",
    [
        "<html>a console</html>",
        "nothing",
        '<!DOCTYPE a [<!ENTITY b "bbbb"><!ENTITY c "&b;&b;&b;">]><ListAllMyBucketsResult>&c;</ListAllMyBucketsResult>',
    ],
)
async def test_what_is_no_object_store_is_told(serve: Serve, body: str) -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(text=body, content_type="text/html")

    async with ObjectStoreClient(await serve(answer), "me", "s3cret-words") as client:
        with pytest.raises(ClientError) as caught:
            await client.contents()
    assert caught.value.kind is Trouble.ANSWER and "s3cret-words" not in str(caught.value)


async def test_live_without_credentials(serve: Serve) -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(status=200 if request.path == "/minio/health/live" else 403)

    async with ObjectStoreClient(await serve(answer)) as client:
        assert await client.is_live()
        with pytest.raises(ClientError) as caught:
            await client.buckets()
    assert caught.value.status == 403
