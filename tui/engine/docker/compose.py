"""`docker compose` for one stack: its command line, and its output line by line."""

from __future__ import annotations

import shutil
from collections import deque
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing

from tui.engine import child
from tui.engine.docker.api import Endpoint, parse_endpoint
from tui.engine.docker.errors import TAIL_LINES
from tui.engine.interface import EngineGone, Progress
from tui.stack.model import Project, Stack
from tui.text import message

# Of what a command prints; a compose project of a thousand services has 2 MB.
OUTPUT_LIMIT = 16 * 1024 * 1024
# Lines, not a screen.
PLAIN = {"BUILDKIT_PROGRESS": "plain", "COMPOSE_ANSI": "never", "COMPOSE_MENU": "false"}


class CommandFailed(Exception):
    """A command's exit code was not 0. `output` is the tail of what it said."""

    def __init__(self, action: str, output: list[str]) -> None:
        super().__init__(action)
        self.action = action
        self.output = output


async def find_endpoint(stack: Stack) -> Endpoint:
    """The engine that docker's command line talks to here: DOCKER_HOST, DOCKER_CONTEXT or the context in use."""
    command = [_docker(), "context", "inspect"]
    code, out, err = await child.output(command, stack.folder, PLAIN, limit=OUTPUT_LIMIT)
    if code:
        raise EngineGone(f"Docker's context cannot be read: {message(err) or message(out)}; see `docker context ls`")
    return parse_endpoint(out)


def _docker() -> str:
    found = shutil.which("docker")
    if found is None:
        raise EngineGone(
            "There is no command `docker` on the PATH. Install Docker Desktop, Docker Engine or Colima with its "
            "Compose plugin."
        )
    return found


class Compose:
    """Compose commands for one stack. They raise CommandFailed, and EngineGone if `docker` cannot be run."""

    def __init__(self, stack: Stack, endpoint: Endpoint) -> None:
        self._stack = stack
        # Named on every command line, so that all of them and the streams talk to one engine. The context
        # `default` only stands for an address.
        named = endpoint.context != "default"
        self._engine = ("--context", endpoint.context) if named else ("--host", endpoint.host)

    def command(self, *arguments: str, every_profile: bool = False) -> list[str]:
        """The whole command line, the way every caller can run it from any folder."""
        stack = self._stack
        return [
            *(_docker(), *self._engine, "compose"),
            *(word for file in stack.files for word in ("--file", str(file))),
            *(("--profile", "*") if every_profile else ()),
            *(("--env-file", str(stack.env_file)) if stack.env_file.is_file() else ()),
            *("--project-directory", str(stack.folder)),
            *arguments,
        ]

    async def stream(self, *arguments: str, every_profile: bool = False) -> AsyncGenerator[Progress]:
        """Runs a command and yields what it says."""
        tail: deque[str] = deque(maxlen=4 * TAIL_LINES)
        command = self.command(*arguments, every_profile=every_profile)
        async with aclosing(child.lines(command, self._stack.folder, PLAIN)) as output:
            async for line in output:
                if isinstance(line, child.Ended):
                    if line.code:
                        raise CommandFailed(f"docker compose {arguments[0]}", list(tail))
                    return
                tail.append(line)
                yield Progress(line)

    async def config(self) -> str:
        """The project as compose resolves it, every profile included: JSON."""
        return await self.read("config", "--format", "json", every_profile=True)

    async def read(self, *arguments: str, every_profile: bool = False) -> str:
        """Runs a command and returns its stdout."""
        code, out, err = await self.call(*arguments, every_profile=every_profile)
        if code:
            raise CommandFailed(f"docker compose {arguments[0]}", [message(line) for line in err.splitlines()])
        return out

    async def call(
        self, *arguments: str, every_profile: bool = False, limit: int = OUTPUT_LIMIT
    ) -> tuple[int, str, str]:
        """Runs a command: exit code, stdout and stderr, each cut off after `limit` bytes."""
        command = self.command(*arguments, every_profile=every_profile)
        return await child.output(command, self._stack.folder, PLAIN, limit=limit)


def options(name: str, values: Mapping[str, str]) -> list[str]:
    """`name KEY=VALUE` for each."""
    return [word for key, value in values.items() for word in (name, f"{key}={value}")]


def image_name(project: Project, service: str) -> str:
    """The name of a service's image; compose gives one to what is built without."""
    return project.services[service].image or f"{project.name}-{service}"
