"""The streams of one pane: its replica's log and samples, over restarts, replacements and outages."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from datetime import datetime

from tui.engine.interface import Engine, EngineError, EngineGone, Lacking, Replica, State
from tui.watch.entries import row_of
from tui.watch.log_ring import LogRing
from tui.watch.outlast import FIRST_PAUSE, LONGEST_PAUSE
from tui.watch.samples import Samples
from tui.watch.seam import ERR, OUT
from tui.watch.supervise import OURS, Supervisor, described
from tui.watch.words import end_text

# Lines from before the deck's start.
TAIL = 500
# Samples of what nobody has looked at for so long are no longer asked for: many panes would cost without being seen.
UNSEEN_SECONDS = 10.0
# How long a stream may go on when another replica has taken the place of its own.
GRACE_SECONDS = 2.0
ALIVE = (State.RUNNING, State.PAUSED)

Life = tuple[str, datetime | None]


class Follower:
    """Keeps a pane's log and samples going. `look` comes back when the engine was looked at again, after an
    outage if need be; `how_ended` is what events said of a replica's end."""

    def __init__(
        self,
        engine: Engine,
        log: LogRing,
        samples: Samples,
        supervisor: Supervisor,
        look: Callable[[], Awaitable[None]],
        how_ended: Callable[[str], str],
    ) -> None:
        self._engine = engine
        self._log = log
        self._samples = samples
        self._supervisor = supervisor
        self._look = look
        self._how_ended = how_ended
        self._replica: Replica | None = None
        self._attended = False
        self._seen_at = time.monotonic()
        self._bell = asyncio.Event()
        self._limits: dict[str, asyncio.Timeout] = {}
        self._following: str | None = None
        self._tail: int | None = None
        self._done: Life | None = None
        self._complaint = ""
        self._tasks: list[asyncio.Task[None]] = []

    def start(self, name: str) -> None:
        """Begins; `update` says with what."""
        keep = self._supervisor.keep
        self._tasks = [
            keep(f"the log of {name}", self._keep_log, self._log_failed),
            keep(f"the samples of {name}", self._keep_samples, lambda error, pause: self._samples.stop()),
        ]

    def cancel(self) -> None:
        """Ends everything."""
        for task in self._tasks:
            task.cancel()

    def update(self, replica: Replica | None) -> None:
        """The replica as it is now, or None if there is none."""
        before, self._replica = self._replica, replica
        if before is not None and (replica is None or replica.id != before.id):
            limit = self._limits.get(before.id)
            if limit is not None and limit.when() is None:
                limit.reschedule(asyncio.get_running_loop().time() + GRACE_SECONDS)
        if _state(before) != _state(replica):
            self._ring()

    def attend(self, attended: bool) -> None:
        """Whether somebody looks. The log of a run that has ended is read only then; samples stop some time after."""
        if attended != self._attended:
            self._attended = attended
            self._seen_at = time.monotonic()
            self._ring()

    @property
    def _is_seen(self) -> bool:
        return self._attended or time.monotonic() - self._seen_at < UNSEEN_SECONDS

    async def _keep_log(self) -> None:
        pause, ended_before = FIRST_PAUSE, False
        while True:
            replica = self._replica
            if replica is None or replica.state is State.CREATED or self._is_read(replica) or self._can_wait(replica):
                await self._bell.wait()
                continue
            if self._following != replica.id:
                self._join(replica)
            elif ended_before:
                self._log.mark(_ns(replica.started_at), "started again")
            ended_before = False
            total = self._log.total
            trouble = ""
            try:
                await self._read(replica)
                self._complaint = ""
            except EngineGone:
                pass
            except Lacking as lacking:
                self._log.mark(time.time_ns(), str(lacking))
                return
            except EngineError as error:
                trouble = str(error)
            except TimeoutError:
                # The replica was replaced, and its stream did not end by itself.
                pass
            await self._look()
            if trouble and self._replica is not None and self._replica.id == replica.id:
                self._complain(trouble)
            if self._has_ended(replica):
                self._done, pause = life_of(replica), FIRST_PAUSE
                now = self._replica
                ended_before = now is not None and life_of(now) == self._done
                continue
            pause = FIRST_PAUSE if self._log.total > total else pause
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    def _join(self, replica: Replica) -> None:
        """Goes on with this replica's log, or begins it behind that of the one before."""
        # A new one's log is read from its beginning.
        self._tail = TAIL if self._following is None else None
        self._log.begin(replica.id, tail=self._tail)
        if self._following is not None:
            self._log.mark(_ns(replica.created_at), f"replaced by a new one: {replica.name}")
        self._following = replica.id

    async def _read(self, replica: Replica) -> None:
        log = self._log
        seam = log.seam()
        tail = self._tail if seam.since_ns is None else None
        push, err, out = log.push, ERR, OUT
        async with asyncio.timeout(None) as limit:
            self._limits[replica.id] = limit
            try:
                async with aclosing(
                    self._engine.logs(replica.id, since_ns=seam.since_ns, tail=tail, follow=True)
                ) as lines:
                    if not seam.closed:
                        async for line in lines:
                            row = row_of(line)
                            if seam.is_new(row):
                                if seam.torn:
                                    log.mark(line.at_ns, "lines may be missing here: the engine's log begins later")
                                push(row)
                            if seam.closed:
                                break
                    async for line in lines:
                        push((line.at_ns, line.text, err if line.is_error_stream else out))
            finally:
                del self._limits[replica.id]

    def _has_ended(self, replica: Replica) -> bool:
        """Whether the stream ended because this run of the replica did; the log then says how."""
        now = self._replica
        ended = self._how_ended(replica.id)
        if now is None or now.id != replica.id:
            self._log.mark(time.time_ns(), f"{ended or 'ended'}; removed")
            return True
        if now.started_at != replica.started_at:
            self._log.mark(_ns(now.started_at), f"{ended}; started again" if ended else "restarted")
            return True
        if now.state is State.ENDED:
            text = end_text(now.exit_code, out_of_memory=now.out_of_memory or "out of memory" in ended)
            self._log.mark(_ns(now.ended_at), text)
            return True
        if now.state is State.RESTARTING:
            self._log.mark(time.time_ns(), f"{ended or 'ended'}; restarting")
            return True
        return False

    async def _keep_samples(self) -> None:
        pause = FIRST_PAUSE
        while True:
            replica = self._replica
            if replica is None or replica.state not in ALIVE or not self._is_seen:
                self._samples.stop()
                await self._bell.wait()
                continue
            total = self._samples.total
            try:
                async with aclosing(self._engine.stats(replica.id)) as samples:
                    async for sample in samples:
                        self._samples.push(sample)
                        if not self._is_seen:
                            break
            except Lacking:
                return
            except EngineError:
                pass
            if not self._is_seen:
                continue
            await self._look()
            now = self._replica
            if now is None or life_of(now) != life_of(replica):
                continue
            pause = FIRST_PAUSE if self._samples.total > total else pause
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    def _can_wait(self, replica: Replica) -> bool:
        return replica.is_run and replica.state is State.ENDED and not self._attended

    def _is_read(self, replica: Replica) -> bool:
        """Whether all of this log is there; of one that is alive (again) after all it never is."""
        return life_of(replica) == self._done and replica.state not in ALIVE

    def _log_failed(self, error: Exception, pause: float) -> None:
        self._complain(f"{OURS}: {described(error)}")

    def _complain(self, text: str) -> None:
        """Says what is wrong with the log, once."""
        if text != self._complaint:
            self._complaint = text
            self._log.mark(time.time_ns(), text)

    def _ring(self) -> None:
        bell, self._bell = self._bell, asyncio.Event()
        bell.set()


def life_of(replica: Replica) -> Life:
    """What tells one start of a replica from the next."""
    return replica.id, replica.started_at


def _state(replica: Replica | None) -> tuple[Life, State] | None:
    return None if replica is None else (life_of(replica), replica.state)


def _ns(at: datetime | None) -> int:
    return int(at.timestamp() * 1e9) if at else time.time_ns()
