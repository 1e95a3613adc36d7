"""`docker compose` for one stack: its command line from python-on-whales, its output line by line.

python-on-whales 0.81 runs its commands in threads and hands out no process: what it started could not be
stopped any more. So it only builds the command line, and the process is ours.

It costs 12 MB and an eighth of a second to import. Looking at a stack does without it: it comes with the first
command that acts, in a thread.
"""

from __future__ import annotations

import asyncio
import importlib
import shutil
from collections import deque
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from pathlib import Path

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
        self._context = endpoint.context if named else None
        self._host = None if named else endpoint.host

    async def command(self, *arguments: str, every_profile: bool = False) -> list[str]:
        """The whole command line, the way every caller can run it from any folder."""
        _docker()
        await asyncio.to_thread(importlib.import_module, "python_on_whales.client_config")
        from python_on_whales.client_config import ClientConfig

        stack = self._stack
        config = ClientConfig(
            context=self._context,
            host=self._host,
            compose_files=list(stack.files),
            compose_env_files=self._env_files(),
            compose_project_directory=stack.folder,
            compose_profiles=["*"] if every_profile else [],
        )
        return [str(word) for word in config.docker_compose_cmd + list(arguments)]

    def config_command(self) -> list[str]:
        """What `command("config", "--format", "json", every_profile=True)` says, without its library."""
        engine = ["--context", self._context] if self._context else ["--host", str(self._host)]
        files = [word for file in self._stack.files for word in ("--file", str(file))]
        env_files = [word for file in self._env_files() for word in ("--env-file", str(file))]
        folder = ["--project-directory", str(self._stack.folder)]
        chosen = [*files, "--profile", "*", *env_files, *folder]
        return [_docker(), *engine, "compose", *chosen, "config", "--format", "json"]

    def _env_files(self) -> list[Path]:
        return [self._stack.env_file] if self._stack.env_file.is_file() else []

    async def stream(self, *arguments: str, every_profile: bool = False) -> AsyncGenerator[Progress]:
        """Runs a command and yields what it says."""
        tail: deque[str] = deque(maxlen=4 * TAIL_LINES)
        command = await self.command(*arguments, every_profile=every_profile)
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
        code, out, err = await child.output(self.config_command(), self._stack.folder, PLAIN, limit=OUTPUT_LIMIT)
        return _succeeded("config", code, out, err)

    async def read(self, *arguments: str) -> str:
        """Runs a command and returns its stdout."""
        return _succeeded(arguments[0], *await self.call(*arguments))

    async def call(self, *arguments: str, limit: int = OUTPUT_LIMIT) -> tuple[int, str, str]:
        """Runs a command: exit code, stdout and stderr, each cut off after `limit` bytes."""
        return await child.output(await self.command(*arguments), self._stack.folder, PLAIN, limit=limit)


def _succeeded(action: str, code: int, out: str, err: str) -> str:
    """The output of a command that did not fail."""
    if code:
        raise CommandFailed(f"docker compose {action}", [message(line) for line in err.splitlines()])
    return out


def options(name: str, values: Mapping[str, str]) -> list[str]:
    """`name KEY=VALUE` for each."""
    return [word for key, value in values.items() for word in (name, f"{key}={value}")]


def image_name(project: Project, service: str) -> str:
    """The name of a service's image; compose gives one to what is built without."""
    return project.services[service].image or f"{project.name}-{service}"
