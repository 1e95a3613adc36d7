"""`docker compose` for one stack: its command line from python-on-whales, its output line by line.

python-on-whales 0.81 runs its commands in threads and hands out no process: what it started could not be
stopped any more. So it only builds the command line, and the process is ours.
"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing

from python_on_whales.client_config import ClientConfig, ClientNotFoundError, Command

from tui.engine.docker import process
from tui.engine.docker.api import Endpoint, parse_endpoint
from tui.engine.docker.errors import TAIL_LINES
from tui.engine.interface import EngineGone, Progress
from tui.engine.text import clean
from tui.stack.model import Stack

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
    command = [*map(str, _docker(ClientConfig())), "context", "inspect"]
    code, out, err = await process.output(command, stack.folder, PLAIN, limit=OUTPUT_LIMIT)
    if code:
        raise EngineGone(f"Docker's context cannot be read: {clean(err) or clean(out)}; see `docker context ls`")
    return parse_endpoint(out)


def _docker(config: ClientConfig) -> Command:
    try:
        return config.docker_cmd
    except ClientNotFoundError:
        raise EngineGone(
            "There is no command `docker` on the PATH. Install Docker Desktop, Docker Engine or Colima with its "
            "Compose plugin."
        ) from None


class Compose:
    """Compose commands for one stack. They raise CommandFailed, and EngineGone if `docker` cannot be run."""

    def __init__(self, stack: Stack, endpoint: Endpoint) -> None:
        self._stack = stack
        # Named on every command line, so that all of them and the streams talk to one engine. The context
        # `default` only stands for an address.
        named = endpoint.context != "default"
        self._context = endpoint.context if named else None
        self._host = None if named else endpoint.host

    def command(self, *arguments: str, every_profile: bool = False) -> list[str]:
        """The whole command line, the way every caller can run it from any folder."""
        stack = self._stack
        config = ClientConfig(
            context=self._context,
            host=self._host,
            compose_files=list(stack.files),
            compose_env_files=[stack.env_file] if stack.env_file.is_file() else [],
            compose_project_directory=stack.folder,
            compose_profiles=["*"] if every_profile else [],
        )
        _docker(config)
        return [str(word) for word in config.docker_compose_cmd + list(arguments)]

    async def stream(self, *arguments: str, every_profile: bool = False) -> AsyncGenerator[Progress]:
        """Runs a command and yields what it says."""
        tail: deque[str] = deque(maxlen=4 * TAIL_LINES)
        command = self.command(*arguments, every_profile=every_profile)
        async with aclosing(process.lines(command, self._stack.folder, PLAIN)) as output:
            async for line in output:
                if isinstance(line, process.Ended):
                    if line.code:
                        raise CommandFailed(f"docker compose {arguments[0]}", list(tail))
                    return
                tail.append(line)
                yield Progress(line)

    async def read(self, *arguments: str, every_profile: bool = False) -> str:
        """Runs a command and returns its stdout."""
        code, out, err = await self.call(*arguments, every_profile=every_profile)
        if code:
            raise CommandFailed(f"docker compose {arguments[0]}", [clean(line) for line in err.splitlines()])
        return out

    async def call(
        self, *arguments: str, every_profile: bool = False, limit: int = OUTPUT_LIMIT
    ) -> tuple[int, str, str]:
        """Runs a command: exit code, stdout and stderr, each cut off after `limit` bytes."""
        command = self.command(*arguments, every_profile=every_profile)
        return await process.output(command, self._stack.folder, PLAIN, limit=limit)


def options(name: str, values: Mapping[str, str]) -> list[str]:
    """`name KEY=VALUE` for each."""
    command = Command()
    command.add_args_mapping(name, values)
    return list(command)
