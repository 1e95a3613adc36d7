"""Going on over outages: what a command has begun to read goes on where it was when its engine is back."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from tui.engine.interface import Engine, EngineGone, Replica

# Pauses before something that broke off is tried again, in seconds; they begin anew after something that lasted.
FIRST_PAUSE, LONGEST_PAUSE, STEADY_SECONDS = 0.2, 10.0, 10.0
# Between the two looks that must both miss a replica before it counts as gone.
SURE_SECONDS = 1.0

T = TypeVar("T")


class Outlast:
    """One command's patience, shared by all that it reads at once: `told` hears that the engine is away and that it
    is back, once each. A connection that breaks while the engine answers is not worth a word."""

    def __init__(self, engine: Engine, told: Callable[[str], None]) -> None:
        self._engine = engine
        self.told = told
        self._asking = asyncio.Lock()

    async def until(self, read: Callable[[], Awaitable[T | None]]) -> T:
        """What `read` answers; it is tried again while that is None and while the engine is away. Raises what
        `read` raises but EngineGone."""
        pause = FIRST_PAUSE
        while True:
            began = time.monotonic()
            try:
                answer = await read()
                if answer is not None:
                    return answer
            except EngineGone:
                await self._back()
            if time.monotonic() - began > STEADY_SECONDS:
                pause = FIRST_PAUSE
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    async def find(self, replica_id: str) -> Replica | None:
        """A replica as it is now; None once two looks in a row have missed it. Raises EngineError."""
        for sure in (False, True):
            replicas = await self.until(self._engine.replicas)
            found = next((one for one in replicas if one.id == replica_id), None)
            if found is not None:
                return found
            if not sure:
                await asyncio.sleep(SURE_SECONDS)
        return None

    async def _back(self) -> None:
        """Comes back when the engine answers; one asks for all."""
        async with self._asking:
            pause, away = FIRST_PAUSE, False
            while True:
                try:
                    await self._engine.replicas()
                    break
                except EngineGone as error:
                    if not away:
                        self.told(f"{error} Waiting until the engine is back; what it runs may go on meanwhile.")
                    away = True
                await asyncio.sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE)
            if away:
                self.told("The engine is back.")
