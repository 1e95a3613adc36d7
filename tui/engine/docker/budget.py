"""How many streams of an engine are open at once: those of what is seen first."""

from __future__ import annotations

import asyncio
import resource
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager, suppress

# An ssh server, a proxy and an engine may each have 1024 files open, as most programs may.
MOST = 800
# Files that this process has open besides, and the limit it takes where it may.
OTHERS, FILES = 100, 4096


class Place:
    """A stream that waits, is open, or has given way: then `close` was called."""

    def __init__(self, key: str) -> None:
        self.key = key
        self.given = asyncio.Event()
        self.gave_way = False
        self.close: Callable[[], None] = lambda: None


class Budget:
    """One endpoint's streams. Where there are more than places, what is seen takes them from what is not."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._seen: frozenset[str] = frozenset()
        self._waiting: list[Place] = []
        self._open: list[Place] = []

    @asynccontextmanager
    async def place(self, key: str) -> AsyncIterator[Place]:
        """A place for a stream of this replica, as soon as there is one."""
        place = Place(key)
        self._waiting.append(place)
        self._give()
        try:
            await place.given.wait()
            yield place
        finally:
            for places in (self._waiting, self._open):
                if place in places:
                    places.remove(place)
            self._give()

    def attend(self, keys: Collection[str]) -> None:
        """These replicas are seen now, and no others."""
        self._seen = frozenset(keys)
        self._give()

    def _give(self) -> None:
        for place in sorted(self._waiting, key=lambda one: one.key not in self._seen):
            if len(self._open) >= self._most:
                unseen = next((one for one in self._open if one.key not in self._seen), None)
                if unseen is None or place.key not in self._seen:
                    return
                self._open.remove(unseen)
                unseen.gave_way = True
                unseen.close()
            self._waiting.remove(place)
            self._open.append(place)
            place.given.set()


def most_streams() -> int:
    """As many as this process may have; its limit of open files is raised where that is allowed."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES if hard == resource.RLIM_INFINITY else min(FILES, hard)
    if soft < wanted:
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
            soft = wanted
    return max(1, min(MOST, soft - OTHERS))
