"""The Docker engine of one stack."""

from __future__ import annotations

import math
import platform
import time
from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from contextlib import aclosing, suppress
from typing import Any

from tui.engine.child import time_limit
from tui.engine.docker import cleanup, streams
from tui.engine.docker.answers import Machine, Top, Version
from tui.engine.docker.api import Api
from tui.engine.docker.compose import (
    CommandFailed,
    Compose,
    builders,
    find_endpoint,
    image_name,
    in_turn,
    options,
    run_words,
)
from tui.engine.docker.errors import explain, taken_port
from tui.engine.docker.holders import Holders
from tui.engine.docker.owner import owner_of
from tui.engine.docker.projects import Projects, inspected
from tui.engine.docker.reach import Ways
from tui.engine.docker.replicas import replica
from tui.engine.interface import (
    Address,
    Capability,
    EngineError,
    EngineInfo,
    Event,
    LogLine,
    NoWay,
    Progress,
    Removable,
    Replica,
    RunRequest,
    Sample,
    State,
    drain,
)
from tui.engine.ports import next_free
from tui.stack.model import Port, Project, Stack
from tui.stack.project import scale_obstacle

EXECUTE_LIMIT = 1024 * 1024
RESTART_SECONDS = 300
PS = "-eo pid,user,pcpu,rss,etime,args"
# `exec bash || exec sh` would not do: a shell whose exec fails ends.
SHELL = ("sh", "-c", "if command -v bash >/dev/null; then exec bash; else exec sh; fi")


class DockerEngine:
    """A stack's compose project on a Docker Engine. See `tui.engine.interface.Engine`."""

    def __init__(self, stack: Stack, api: Api, info: EngineInfo, *, on_host: bool = False) -> None:
        """`on_host`: the engine is this very machine's, without a virtual one or namespaces between."""
        self._api = api
        self._info = info
        self._compose = Compose(stack, api.endpoint)
        self._projects = Projects(api, self._compose, stack)
        self._ways = Ways(api, self._compose.docker, on_host=on_host)
        self._holders = Holders(api)

    @classmethod
    async def open(cls, stack: Stack) -> DockerEngine:
        """Connects to the engine that `docker` would use here. Raises EngineGone if none answers."""
        endpoint = await find_endpoint(stack)
        api = Api(endpoint)
        try:
            version = await api.query(Version, "version")
            machine = await api.query(Machine, "info")
        except BaseException:
            await api.close()
            raise
        info = EngineInfo(
            "docker",
            version.version,
            str(endpoint),
            cores=machine.cores or None,
            memory=machine.memory or None,
            here="host" if endpoint.is_local else "this machine",
        )
        here = endpoint.is_local and machine.name == platform.node()
        rootless = any("rootless" in option for option in machine.security_options or ())
        return cls(stack, api, info, on_host=here and not rootless)

    @property
    def info(self) -> EngineInfo:
        """Which engine this is."""
        return self._info

    def lacks(self, capability: Capability) -> str:
        """Nothing: Docker has everything."""
        return ""

    async def close(self) -> None:
        """Gives back every connection. Streams still open, and later calls, raise EngineGone."""
        await self._ways.close()
        await self._api.close()

    async def project(self) -> Project:
        """The compose project as compose resolves it now, services behind profiles included."""
        return await self._projects.project()

    async def remembered(self) -> Project | None:
        """The project as its containers tell it, where its files cannot be read."""
        return await self._projects.remembered()

    async def owner(self) -> tuple[int, int]:
        """User and group id that a container must run as, so that its files are the present user's."""
        return owner_of(await self._api.query(Machine, "info"))

    async def replicas(self) -> list[Replica]:
        """Every replica and run of this stack, by service and number; somebody's `compose run` is neither."""
        found = await cleanup.containers(self._api, await self._projects.name())
        replicas = await inspected(self._api, found)
        await self._ways.keep(replicas)
        return sorted(replicas, key=lambda one: (one.service, one.is_run, one.number, one.name))

    async def record(self, replica_id: str) -> Mapping[str, Any]:
        """What `docker inspect` shows of a container."""
        return await self._api.record(replica_id)

    async def processes(self, replica_id: str) -> list[list[str]]:
        """`docker top`: the engine's own `ps`, whatever the image has."""
        what = "The processes cannot be listed"
        found = await self._api.query(Top, f"containers/{replica_id}/top", params={"ps_args": PS}, what=what)
        return [found.titles, *(found.processes or ())]

    def attend(self, replica_ids: Collection[str]) -> None:
        """Their streams come first."""
        self._api.attend(replica_ids)

    def stats(self, replica_id: str) -> AsyncGenerator[Sample]:
        """Samples of a replica, about one a second."""
        return streams.stats(self._api, replica_id)

    def logs(
        self,
        replica_id: str,
        *,
        since_ns: int | None = None,
        until_ns: int | None = None,
        tail: int | None = None,
        follow: bool = False,
    ) -> AsyncGenerator[LogLine]:
        """Lines of a replica."""
        return streams.logs(self._api, replica_id, since_ns, until_ns, tail, follow)

    def events(self) -> AsyncGenerator[Event]:
        """What happens to this stack's replicas, from this call on."""
        return self._events(time.time_ns())

    async def _events(self, since_ns: int) -> AsyncGenerator[Event]:
        async with aclosing(streams.events(self._api, await self._projects.name(), since_ns)) as events:
            async for event in events:
                yield event

    def build(self, services: Sequence[str] = (), *, fresh: bool = False) -> AsyncGenerator[Progress]:
        """`docker compose build`."""
        return self._act("build", services, *(["--no-cache"] if fresh else ()))

    def up(self, services: Sequence[str] = (), *, recreate: bool = False) -> AsyncGenerator[Progress]:
        """`docker compose up --detach`, after building missing images; does not wait for health."""
        return in_turn(self._build_missing(services), self._act("recreate" if recreate else "up", services))

    def stop(self, services: Sequence[str] = ()) -> AsyncGenerator[Progress]:
        """`docker compose stop`; runs are left alone."""
        return self._act_on("stop", services)

    def restart(self, services: Sequence[str] = ()) -> AsyncGenerator[Progress]:
        """`docker compose restart` of just these services."""
        return self._act_on("restart", services)

    def down(self, *, volumes: bool = False) -> AsyncGenerator[Progress]:
        """`docker compose down` of every profile, with runs and with what services of earlier files left."""
        # Not every compose takes one-offs down, and one that is left holds the network.
        more = ["--volumes"] if volumes else []
        return in_turn(self._remove_containers(one_offs=True), self._act("down", (), *more))

    async def scale(self, service: str, count: int) -> AsyncGenerator[Progress]:
        """`docker compose up --scale`: just this service; what runs is not recreated."""
        project = await self._with([service])
        if count > 1 and (obstacle := scale_obstacle(project.services[service])):
            raise EngineError(obstacle)
        more = ["--no-deps", "--no-recreate", "--scale", f"{service}={count}"]
        async with aclosing(in_turn(self._build_missing([service]), self._act("up", [service], *more))) as steps:
            async for step in steps:
                yield step

    async def signal(self, replica_id: str, signal: str) -> None:
        """Sends a signal by name."""
        name = f"SIG{signal.upper().removeprefix('SIG')}"
        path = f"containers/{replica_id}/kill"
        await self._api.call(path, "POST", params={"signal": name}, what=f"{name} cannot be sent")

    async def end(self, replica_id: str, *, grace_seconds: float = 10) -> None:
        """Stops one replica or run; one that ended already is left as it is."""
        seconds = math.ceil(grace_seconds)
        path = f"containers/{replica_id}/stop"
        what = "This replica cannot be stopped"
        await self._api.call(path, "POST", params={"t": seconds}, seconds=seconds + 30, what=what)

    async def start_replica(self, replica_id: str) -> None:
        """Starts one replica; one that runs is left as it is."""
        await self._api.call(f"containers/{replica_id}/start", "POST", what="This replica cannot be started")

    async def restart_replica(self, replica_id: str) -> None:
        """Stops one replica, within its own grace, and starts it."""
        # The engine waits out the container's own grace, which may be minutes.
        path = f"containers/{replica_id}/restart"
        await self._api.call(path, "POST", seconds=RESTART_SECONDS, what="This replica cannot be restarted")

    async def remove(self, replica_id: str) -> None:
        """Removes one ended replica or run; one that runs is refused."""
        what = "This replica cannot be removed"
        await self._api.call(f"containers/{replica_id}", "DELETE", params={"v": 1}, what=what)

    async def start_run(self, request: RunRequest) -> Replica:
        """`docker compose run --detach` without dependencies, terminal and host ports."""
        project = await self.project()
        # Compose takes arguments only with the command before them.
        own = project.services[request.service].command if request.arguments else ()
        await drain(self._build_missing([request.service]))
        try:
            await self._compose.read(*run_words(request, own))
        except CommandFailed as failure:
            await self._remove_unstarted(request.name)
            raise await self._reason(failure) from None
        return replica(await self._api.inspect(request.name))

    async def execute(
        self, service: str, command: Sequence[str], *, replica_id: str | None = None, timeout: float = 60
    ) -> tuple[int, str]:
        """`docker compose exec`; of each output the first MiB."""
        arguments = ("exec", "--no-TTY", *await self._index(service, replica_id), service, *command)
        async with time_limit(timeout, command, service):
            code, out, err = await self._compose.call(*arguments, limit=EXECUTE_LIMIT)
        return code, out + err

    async def shell_command(
        self,
        service: str,
        command: Sequence[str] = (),
        *,
        env: Mapping[str, str] | None = None,
        terminal: bool = True,
        replica_id: str | None = None,
    ) -> list[str]:
        """The `docker compose exec` that opens a terminal in a replica."""
        settings = [*([] if terminal else ["--no-TTY"]), *options("--env", env or {})]
        index = await self._index(service, replica_id)
        return self._compose.command("exec", *settings, *index, service, *(command or SHELL))

    async def reach(self, replica: Replica, port: int) -> Address | NoWay:
        """The published port, the host's or the container's address, else a tunnel; looked up once for each start."""
        return await self._ways.to(replica, port)

    async def removables(self) -> list[Removable]:
        """Replicas, runs, networks, volumes and built images of this project."""
        return await cleanup.removables(self._api, await self._projects.name(), await self._built_images())

    def remove_all(self) -> AsyncGenerator[Progress]:
        """Removes all that `removables` lists, found by labels; the compose file may have changed since."""
        return in_turn(self._remove_containers(), self._remove_rest())

    async def _remove_rest(self) -> AsyncGenerator[Progress]:
        doomed = [item for item in await self.removables() if item.kind != "replica"]
        async with aclosing(cleanup.remove(self._api, doomed)) as steps:
            async for step in steps:
                yield step

    def commands(self, action: str, services: Sequence[str] = (), replicas: Sequence[Replica] = ()) -> list[str]:
        """Compose's own for services, docker's for replicas."""
        return self._compose.shown(action, services, replicas)

    async def _act_on(self, action: str, services: Sequence[str]) -> AsyncGenerator[Progress]:
        """An action on services that there must be: compose itself passes over one that it does not know."""
        if services:
            await self._with(services)
        async with aclosing(self._act(action, services)) as steps:
            async for step in steps:
                yield step

    async def _act(self, action: str, services: Sequence[str], *more: str) -> AsyncGenerator[Progress]:
        try:
            async with aclosing(self._compose.act(action, services, *more)) as steps:
                async for step in steps:
                    yield step
        except CommandFailed as failure:
            raise await self._reason(failure) from None

    async def _reason(self, failure: CommandFailed) -> EngineError:
        """Why a command failed; of a taken port also who holds it."""
        port = taken_port(failure.output)
        if port is None:
            return explain(failure.action, failure.output, self._info.endpoint)
        holder = await self._holders.name(port)
        return EngineError(
            f"{failure.action} failed: port {port} of this machine is taken by {holder}. "
            "Stop that, or change the port in .env."
        )

    async def port_holder(self, port: Port) -> str | None:
        """Who holds a port of the machine that publishes ports; of a remote one only its containers are known."""
        return await self._holders.of(port)

    async def next_free(self, port: Port, avoid: Collection[int | None] = ()) -> int | None:
        """The next free port; of a remote machine nobody here can tell."""
        return next_free(port, avoid) if self._api.endpoint.is_local else None

    async def _build_missing(self, services: Sequence[str]) -> AsyncGenerator[Progress]:
        """Builds what these services and their dependencies need and is not there.

        `up` would do so too, but first tries to pull what another service of the project builds.
        """
        project = await self._with(services)
        builds = builders(project, services)
        missing = [name for name in builds if not await self._api.has(f"images/{image_name(project, name)}/json")]
        async with aclosing(self.build(missing) if missing else in_turn()) as steps:
            async for step in steps:
                yield step

    async def _remove_unstarted(self, name: str) -> None:
        """Removes what a failed start left behind; of a name that was taken, the run that has it stays."""
        with suppress(EngineError):
            left = replica(await self._api.inspect(name))
            if left.is_run and left.state is State.CREATED:
                await self.remove(left.id)

    async def _remove_containers(self, *, one_offs: bool = False) -> AsyncGenerator[Progress]:
        found = await cleanup.containers(self._api, await self._projects.name())
        doomed = [item for item in found if not one_offs or cleanup.is_one_off(item)]
        async with aclosing(cleanup.remove_containers(self._api, doomed)) as steps:
            async for step in steps:
                yield step

    async def _built_images(self) -> list[str]:
        project = await self.project()
        return [image_name(project, name) for name, entry in project.services.items() if entry.built]

    async def _with(self, services: Sequence[str]) -> Project:
        """The project, which must have these services."""
        project = await self.project()
        for name in services:
            if name not in project.services:
                known = ", ".join(project.services)
                raise EngineError(f"There is no service {name!r} in {project.name}; there are: {known}")
        return project

    async def _index(self, service: str, replica_id: str | None) -> list[str]:
        """Which replica of a service to go into: this one, or the first that runs."""
        running = [
            one.number
            for one in await self.replicas()
            if one.service == service and one.state is State.RUNNING and not one.is_run
            if replica_id in (None, one.id)
        ]
        if not running:
            await self._with([service])
            what = "This replica of" if replica_id else "The service"
            raise EngineError(f"{what} {service} is not running; start it first")
        return ["--index", str(running[0])]
