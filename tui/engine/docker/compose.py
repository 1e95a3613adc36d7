"""`docker compose` for one stack: its command line, and its output line by line."""

from __future__ import annotations

import json
import os
import shlex
import shutil
from collections import deque
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from pathlib import Path

from tui.engine import child
from tui.engine.docker.api import Endpoint, default_certificates, parse_endpoint
from tui.engine.docker.errors import TAIL_LINES
from tui.engine.docker.replicas import OWN_PREFIX
from tui.engine.interface import EngineError, EngineGone, Progress, Replica, RunRequest
from tui.stack.model import Project, Stack
from tui.text import message

# Of what a command prints; a compose project of a thousand services has 2 MB.
OUTPUT_LIMIT = 16 * 1024 * 1024
# A project takes a fraction of a second; one that includes others from far away some.
CONFIG_SECONDS = 60
CONTEXT_SECONDS = 20
DEFAULT_HOST = "unix:///var/run/docker.sock"
# Lines, not a screen.
PLAIN = {"BUILDKIT_PROGRESS": "plain", "COMPOSE_ANSI": "never", "COMPOSE_MENU": "false"}

# What compose is told for services, and docker for single replicas.
_WORDS = {
    "build": ("build",),
    "up": ("up", "--detach"),
    "recreate": ("up", "--detach", "--force-recreate"),
    "stop": ("stop",),
    "restart": ("restart", "--no-deps"),
    "down": ("down", "--remove-orphans"),
}
_REPLICA_WORDS = {
    "up": ("start",),
    "stop": ("stop", "--time", "10"),
    "restart": ("restart",),
    "cancel": ("stop", "--time", "20"),
    "remove": ("rm",),
}


class CommandFailed(Exception):
    """A command's exit code was not 0. `output` is the tail of what it said."""

    def __init__(self, action: str, output: list[str]) -> None:
        super().__init__(action)
        self.action = action
        self.output = output


async def find_endpoint(stack: Stack) -> Endpoint:
    """The engine that docker's command line talks to here: DOCKER_HOST, DOCKER_CONTEXT or the context in use."""
    docker, host = _docker(), os.environ.get("DOCKER_HOST", "")
    if not host and not _has_context():
        host = DEFAULT_HOST
    if "://" in host:
        return Endpoint("default", host, default_certificates())
    command = [docker, "context", "inspect"]
    try:
        code, out, err = await child.output(command, stack.folder, PLAIN, limit=OUTPUT_LIMIT, seconds=CONTEXT_SECONDS)
    except TimeoutError:
        raise EngineGone(f"`docker context inspect` did not end within {CONTEXT_SECONDS} s") from None
    if code:
        raise EngineGone(f"Docker's context cannot be read: {message(err) or message(out)}; see `docker context ls`")
    return parse_endpoint(out)


def _has_context() -> bool:
    """Whether another context than the default one is chosen; only then docker has to be asked what it is."""
    if name := os.environ.get("DOCKER_CONTEXT"):
        return name != "default"
    folder = os.environ.get("DOCKER_CONFIG") or Path.home() / ".docker"
    try:
        found = json.loads(Path(folder, "config.json").read_bytes())
        return bool(found.get("currentContext", "default") != "default")
    except FileNotFoundError:
        return False
    except (OSError, ValueError, AttributeError):
        # Docker says what is wrong with it.
        return True


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
        # Set where the files cannot be read: by its name compose finds, stops and removes what there is.
        self.by_name = ""
        # Named on every command line, so that all of them and the streams talk to one engine. The context
        # `default` only stands for an address.
        named = endpoint.context != "default"
        self._engine = ("--context", endpoint.context) if named else ("--host", endpoint.host)

    def docker(self, *arguments: str) -> list[str]:
        """A command line of docker itself."""
        return [_docker(), *self._engine, *arguments]

    def command(self, *arguments: str, every_profile: bool = False) -> list[str]:
        """The whole command line, the way every caller can run it from any folder."""
        stack = self._stack
        if self.by_name and arguments[0] != "config":
            return self.docker("compose", "--project-name", self.by_name, *arguments)
        settings = stack.env_files or ((stack.env_file,) if stack.env_file.is_file() else ())
        return self.docker(
            "compose",
            *(word for file in stack.files for word in ("--file", str(file))),
            *(word for name in (("*",) if every_profile else stack.profiles) for word in ("--profile", name)),
            *(word for file in settings for word in ("--env-file", str(file))),
            *("--project-directory", str(stack.folder)),
            *(("--project-name", stack.project_name) if stack.project_name else ()),
            *arguments,
        )

    def shown(self, action: str, services: Sequence[str], replicas: Sequence[Replica]) -> list[str]:
        """The command lines of an action, for people."""
        lines = []
        if services or not replicas:
            lines.append(self.command(*_words(action, services), every_profile=_is_for_all(action, services)))
        if replicas:
            lines.append(self.docker(*_REPLICA_WORDS[action], *(one.name for one in replicas)))
        return [shlex.join(line) for line in lines]

    def act(self, action: str, services: Sequence[str], *more: str) -> AsyncGenerator[Progress]:
        """Runs an action and yields what it says."""
        return self.stream(*_words(action, services, *more), every_profile=_is_for_all(action, services))

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
        command = self.command("config", "--format", "json", every_profile=True)
        try:
            code, out, err = await child.output(
                command, self._stack.folder, PLAIN, limit=OUTPUT_LIMIT, seconds=CONFIG_SECONDS
            )
        except TimeoutError:
            names = ", ".join(str(file) for file in self._stack.files)
            raise EngineError(
                f"`docker compose config` was ended after {CONFIG_SECONDS} s: it did not get through {names}. "
                "Do aliases in it multiply, or does it include what cannot be reached?"
            ) from None
        return _succeeded("config", code, out, err)

    async def read(self, *arguments: str) -> str:
        """Runs a command and returns its stdout."""
        return _succeeded(arguments[0], *await self.call(*arguments))

    async def call(self, *arguments: str, limit: int = OUTPUT_LIMIT) -> tuple[int, str, str]:
        """Runs a command: exit code, stdout and stderr, each cut off after `limit` bytes."""
        return await child.output(self.command(*arguments), self._stack.folder, PLAIN, limit=limit)


def _succeeded(action: str, code: int, out: str, err: str) -> str:
    """The output of a command that did not fail."""
    if code:
        raise CommandFailed(f"docker compose {action}", [message(line) for line in err.splitlines()])
    return out


def _words(action: str, services: Sequence[str], *more: str) -> list[str]:
    return [*_WORDS[action], *more, *services]


def _is_for_all(action: str, services: Sequence[str]) -> bool:
    """Whether services behind profiles are meant too."""
    return action in ("stop", "restart", "down") or (action == "build" and not services)


async def in_turn(*acts: AsyncGenerator[Progress]) -> AsyncGenerator[Progress]:
    """Several long actions, one after the other; closing it closes the one that goes on."""
    for act in acts:
        async with aclosing(act) as steps:
            async for step in steps:
                yield step


def options(name: str, values: Mapping[str, str]) -> list[str]:
    """`name KEY=VALUE` for each."""
    return [word for key, value in values.items() for word in (name, f"{key}={value}")]


def run_words(request: RunRequest, own: Sequence[str]) -> list[str]:
    """What compose is told to start a run; `own` is the service's command, for arguments that come after none."""
    labels = {f"{OWN_PREFIX}{key}": value for key, value in {"run": request.name, **request.labels}.items()}
    taken = [word for file, seen in request.files.items() for word in ("--volume", f"{file}:{seen}:ro")]
    return [
        # Without --interactive=false a program that reads its input would wait for it for ever.
        *("run", "--detach", "--no-deps", "--no-TTY", "--interactive=false", "--name", request.name),
        *options("--label", labels),
        *options("--env", request.env),
        *taken,
        request.service,
        *(request.command or own),
        *request.arguments,
    ]


def image_name(project: Project, service: str) -> str:
    """The name of a service's image; compose gives one to what is built without."""
    return project.services[service].image or f"{project.name}-{service}"


def builders(project: Project, services: Sequence[str]) -> list[str]:
    """The services whose images these (all if none is named) and what they depend on need built."""
    wanted = list(services) or [name for name, entry in project.services.items() if not entry.profiles]
    for name in wanted:
        needed = project.services[name].depends_on
        wanted += [other for other in needed if other in project.services and other not in wanted]
    images = {image_name(project, name) for name in wanted}
    return [name for name, entry in project.services.items() if entry.built and image_name(project, name) in images]
