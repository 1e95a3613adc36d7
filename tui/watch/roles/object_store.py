"""A store that speaks S3: what it holds, and its root user."""

from __future__ import annotations

from tui.clients.http import ClientError, Trouble
from tui.clients.object_store import DEFAULT_REGION, Contents, ObjectStoreClient
from tui.engine.interface import Engine, Replica
from tui.stack.model import Service
from tui.watch.roles.kind import Asker, Login, Watched, from_variables
from tui.watch.words import count, size

# Pairs of variables, the service's own first.
_STORE = (
    ("MINIO_ROOT_USER", "MINIO_ROOT_PASSWORD"),
    ("MINIO_ACCESS_KEY", "MINIO_SECRET_KEY"),
    ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"),
)


class ObjectStore(Asker):
    """`2 buckets, 1,234 objects, 56 MiB`; without credentials whether it is live."""

    seconds = 10.0

    async def line(self) -> str:
        """Its contents."""
        if not isinstance(self._client, ObjectStoreClient):
            found = await self._find()
            if isinstance(found, str):
                return found
            self._client = found
        try:
            return contents_text(await self._client.contents())
        except ClientError:
            # The next question begins anew, with the credentials of then.
            await self.close()
            raise

    async def _find(self) -> ObjectStoreClient | str:
        """The client for the port that speaks S3, else what there is to say."""
        target = self.target
        settings = (await target.service()).environment
        login = from_variables(settings, _STORE)
        names = ("MINIO_SITE_REGION", "MINIO_REGION", "AWS_REGION", "AWS_DEFAULT_REGION")
        region = next((settings[name] for name in names if settings.get(name)), DEFAULT_REGION)
        trouble: ClientError | None = None
        # The console's port comes first among the links; the API's is most often this one.
        for _, url in sorted((await target.urls()).items(), key=lambda item: item[0] != 9000):
            client = ObjectStoreClient(url, *((login.user, login.password) if login else ()), region=region)
            try:
                if login:
                    await client.buckets()
                    return client
                if await client.is_live():
                    await client.close()
                    return "live; what it holds takes credentials"
            except ClientError as error:
                trouble = trouble if trouble and trouble.kind is Trouble.STATUS else error
            await client.close()
        if trouble is None:
            return ""
        # A console answers 400 to the questions of the store.
        if trouble.kind is Trouble.ANSWER or trouble.status == 400:
            return "unknown: no port that is published speaks S3"
        raise trouble


def contents_text(found: Contents) -> str:
    """What an object store holds."""
    more = "+" if found.more else ""
    parts = [count(found.buckets, "bucket"), count(found.objects, "object", more), f"{size(found.size)}{more}"]
    return " · ".join(parts)


async def _login(engine: Engine, service: Service, replica: Replica) -> Login | None:
    return from_variables(service.environment, _STORE)


def _has_login(service: Service) -> bool:
    return any(user in service.environment for user, _ in _STORE)


WATCHED = Watched(ObjectStore, login=_login, has_login=_has_login)
