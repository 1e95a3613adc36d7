"""What was asked of the engine: each command an owned task beside the screen, kept with its time and its answer."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING

from tui.actions.start import Note, Phase, Refused, StartUpdate
from tui.clients.http import ClientError
from tui.engine.interface import EngineError, Progress
from tui.jobs.kinds.kind import SubmitError
from tui.stack.errors import StackError
from tui.text import bare
from tui.watch.names import numbered
from tui.watch.ready import NotReady, Step

if TYPE_CHECKING:
    from tui.watch.live import Pane

# What is known to fail with a text that is meant for the user.
FAILURES = (EngineError, Refused, SubmitError, NotReady, StackError, ClientError, OSError, TimeoutError)

RUNNING, DONE, FAILED, STOPPED = "running", "done", "failed", "stopped"
OUTPUT_LINES = 2000
KEPT = 200


@dataclass(slots=True, eq=False)
class Command:
    """One command: `line` says it as a `sparkdeck` verb, `engine_line` as the engine's own tool; `work` does it."""

    title: str
    line: str
    work: Callable[[], AsyncGenerator[StartUpdate]]
    engine_line: str = ""
    services: tuple[str, ...] = ()
    state: str = RUNNING
    began_at: datetime = field(default_factory=datetime.now)
    began: float = field(default_factory=time.monotonic)
    seconds: float | None = None
    last: str = ""
    error: str = ""
    output: deque[str] = field(default_factory=lambda: deque(maxlen=OUTPUT_LINES))
    steps: dict[str, Step] = field(default_factory=dict)

    @property
    def lines(self) -> list[str]:
        """The command lines that do the same."""
        return [line for line in (self.line, self.engine_line) if line]

    @property
    def elapsed(self) -> float:
        """Seconds so far, or in all."""
        return self.seconds if self.seconds is not None else time.monotonic() - self.began

    def say(self, update: StartUpdate) -> None:
        """Keeps what an update says."""
        match update:
            case Phase(title):
                text = title
            case Note(text):
                text = bare(text)
            case Progress(text):
                text = bare(text)
            case Step():
                self.steps[update.service] = update
                text = f"{update.service}: {bare(update.told)} ({update.seconds:.1f} s)"
        for line in text.splitlines():
            if line.strip():
                self.output.append(line)
                self.last = line.strip()


class Runner:
    """Runs commands and remembers them. `ended` is called with each command that is over."""

    def __init__(self, ended: Callable[[Command], None]) -> None:
        self.commands: deque[Command] = deque(maxlen=KEPT)
        self.version = 0
        self.leaving = False
        """Whether the deck is left as soon as nothing runs any more."""
        self._ended = ended
        self._tasks: dict[Command, asyncio.Task[None]] = {}

    @property
    def running(self) -> list[Command]:
        """The commands that are not over, oldest first."""
        return [command for command in self.commands if command.state == RUNNING]

    def start(self, command: Command) -> Command:
        """Begins a command; it goes on beside the screen."""
        self.commands.append(command)
        self.version += 1
        task = asyncio.create_task(self._run(command), name=f"command-{command.line}")
        self._tasks[command] = task
        task.add_done_callback(lambda _: self._tasks.pop(command, None))
        return command

    async def wait(self, command: Command) -> None:
        """Returns when a command is over."""
        task = self._tasks.get(command)
        if task is not None:
            await asyncio.wait([task])

    def step_of(self, pane: Pane) -> Step | None:
        """Where a pane's replica, else its service, stands in a command that runs: ready after so many seconds, or
        waiting for so many."""
        names = [numbered(pane.replica)] if pane.replica else []
        names += [pane.service.name] if pane.service else []
        for command in reversed(self.commands):
            step = next((command.steps[name] for name in names if name in command.steps), None)
            if command.state == RUNNING and step is not None:
                if not step.ready and step.replica is None and step.service == names[-1] and pane.well:
                    # It is said of the others of its service.
                    continue
                return step if step.ready else replace(step, seconds=float(int(command.elapsed)))
        return None

    def stop(self, command: Command) -> None:
        """Stops a command as far as that is possible."""
        task = self._tasks.get(command)
        if task is not None:
            task.cancel()

    async def close(self, *, finish: bool = False) -> list[Command]:
        """Stops what still runs, or lets it `finish`; what was stopped."""
        tasks = dict(self._tasks)
        for task in tasks.values():
            if not finish:
                task.cancel()
        await asyncio.gather(*tasks.values(), return_exceptions=True)
        return [command for command in tasks if command.state == STOPPED]

    async def _run(self, command: Command) -> None:
        try:
            async with aclosing(command.work()) as updates:
                async for update in updates:
                    command.say(update)
                    self.version += 1
            command.state = DONE
        except asyncio.CancelledError:
            command.state = STOPPED
            raise
        except FAILURES as error:
            command.state = FAILED
            command.error = "\n".join(bare(line) for line in (str(error) or type(error).__name__).splitlines())
        except Exception as error:  # a mistake of ours must not take the deck down
            command.state = FAILED
            command.error = bare(f"{type(error).__name__}: {error}. This is a mistake in SparkDeck; please report it.")
        finally:
            command.seconds = time.monotonic() - command.began
            if command.error:
                command.output.extend(command.error.splitlines())
            self.version += 1
            self._ended(command)
