"""What a stack's services are as processes of this machine: from the compose project and the layout's `process`."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from tui.engine.interface import EngineError
from tui.engine.process import spark
from tui.engine.process.cache import Recipe
from tui.engine.process.compose import read_compose, start_seconds
from tui.engine.process.fit import Fitted, fit, this_machine
from tui.engine.process.places import Fixed, Places, wanted_ports
from tui.engine.process.recipes import Recipes
from tui.engine.process.spec import Ready, Service
from tui.stack import model
from tui.stack.environment import port_variables, read_environment
from tui.stack.errors import ProjectError, StackError
from tui.stack.model import Layout, Port, ProcessSpec, Project, Stack
from tui.stack.project import parse_project


class Plan:
    """What a stack runs as processes. Made anew for each action, so that it follows `.env` and the files.

    `project`: as compose would resolve it, with the ports that processes need, as they are wanted. `set_ports`:
    published ports that the user set himself, with the variable: these are not moved.
    """

    def __init__(self, stack: Stack, state: Path, layout: Layout, spec: ProcessSpec) -> None:
        self.set_ports: Mapping[int, str] = port_variables(stack)
        self._state = state
        self._folder = stack.folder
        self._layout = layout
        self._spec = spec
        self._refusal: EngineError | None = None
        self._notes: Sequence[str] = ()
        # How long each service may take until a look that fails counts.
        self._start: Mapping[str, float] = {}
        self.project = self._read(stack)
        self._recipes = Recipes(stack.folder, layout, spec, self.project.services)

    def _read(self, stack: Stack) -> Project:
        """The project, read again where the workers have to be made smaller."""
        config, variables = read_compose(stack)
        self._start = {name: start_seconds(service) for name, service in config["services"].items()}
        project = parse_project(config, stack.profiles)
        if self._spec.fit is not None:
            own = {*read_environment(stack), *os.environ}
            fitted = Fitted({})
            try:
                fitted = fit(self._spec.fit, project, variables.asked, own, this_machine())
            except EngineError as error:
                self._refusal = error
            self._notes = fitted.notes
            if fitted.settings:
                project = parse_project(read_compose(stack, fitted.settings)[0], stack.profiles)
        ports = wanted_ports(self._layout, self._spec, project)
        return replace(project, services={name: self._adapted(one, ports) for name, one in project.services.items()})

    def _adapted(self, service: model.Service, ports: Mapping[str, set[int]]) -> model.Service:
        """A service with just the ports that its process has, and healthy by the layout's word."""
        wanted = ports.get(service.name, set())
        published = [port for port in service.ports if port.target in wanted and port.protocol == "tcp"]
        others = wanted - {port.target for port in published}
        ready = self._layout.service(service.name).process.ready
        return replace(
            service,
            ports=(*published, *(Port(target, None) for target in sorted(others))),
            has_health_check=ready is not None,
        )

    @property
    def notes(self) -> Sequence[str]:
        """What the user should know before anything starts. Raises EngineError where the stack does not fit."""
        self._check()
        return self._notes

    def needed(self, names: Sequence[str]) -> list[Recipe]:
        """What must have been made before these services start. Raises EngineError where they cannot start at all."""
        self._check()
        return self._recipes.needed(names)

    def service(self, name: str, own: Mapping[int, int], all_ports: Mapping[tuple[str, int], int]) -> Service:
        """How a replica runs; makes the files and folders that it needs. Raises EngineError saying what is missing.

        `own`: its own target ports to allotted ones; `all_ports`: of every service's first replica.
        """
        self._check()
        service = self.project.services[name]
        process = self._layout.service(name).process
        places = self._places(name, own, all_ports)
        try:
            self._make(places, process.files)
        except OSError as error:
            raise EngineError(f"What {name} needs cannot be made: {error}") from None
        command = [*map(places.fill, process.command)] or self.arguments(name, [*service.entrypoint, *service.command])
        if not command:
            raise EngineError(
                f"{name} has no command as a process: only its image knows what to run. "
                f"Add services.{name}.process.command to {self._layout.source}."
            )
        environment = {
            **self._common(name),
            **service.environment,
            **{key: places.fill(text) for key, text in {**self._spec.env, **process.env}.items()},
        }
        ready = process.ready
        return Service(
            command=tuple(command),
            environment=environment,
            folder=str(places.folder),
            ready=Ready(places.fill(ready.url), ready.text, start=self._start[name]) if ready else None,
        )

    def arguments(self, service: str, command: Sequence[str]) -> list[str]:
        """A command with the paths inside the service (whole words, or what follows `=`) as paths of this machine."""
        places = self._places(service, {}, {})
        return [places.argument(word) for word in command]

    def _check(self) -> None:
        missing = spark.missing_packages(self._spec.packages)
        if missing:
            raise EngineError(
                f"{self._layout.name} as processes needs {', '.join(missing)}, not installed here. "
                f"Install them: {spark.HELP}"
            )
        if self._refusal is not None:
            raise self._refusal

    def _places(self, name: str, own: Mapping[int, int], all_ports: Mapping[tuple[str, int], int]) -> Places:
        recipe = self._recipes.environment(name)
        python = recipe.programs / "python" if recipe else Path(sys.executable)
        fixed = Fixed(self._state, self._folder, python, lambda build: self._recipes.build(build).target)
        return Places(self.project, fixed, name, own, all_ports)

    def _common(self, name: str) -> dict[str, str]:
        recipe = self._recipes.environment(name)
        builds = [one.programs for one in self._recipes.builds() if one.programs.is_dir()]
        return spark.process_environment(
            self._state, with_spark=self._has_spark, venv=recipe.target if recipe else None, programs=builds
        )

    @property
    def _has_spark(self) -> bool:
        return bool(self._spec.spark_defaults or self._spec.spark_conf)

    def _make(self, places: Places, files: Mapping[str, str]) -> None:
        places.make([*self._spec.folders], {path: places.fill(text) for path, text in files.items()})
        if self._has_spark:
            defaults = self._spec.spark_defaults
            conf = {key: places.fill(text) for key, text in self._spec.spark_conf.items()}
            spark.write_settings(self._state, places.host_path(defaults) if defaults else None, conf)


def make_plan(stack: Stack, state: Path) -> Plan:
    """Reads the compose project and the layout. `state`: the stack's private folder.

    Raises EngineError for a stack without a process form, or with a compose project that cannot be read.
    """
    layout = stack.layout
    if layout.process is None:
        where = layout.source or f"a layout (sparkdeck.yaml) in {stack.folder}"
        raise EngineError(
            f"{stack.name} has no process form: its layout says nothing under `process`. "
            f"Start a Docker Engine, or add `process` to {where}."
        )
    try:
        return Plan(stack, state, layout, layout.process)
    except (ProjectError, StackError) as error:
        raise EngineError(f"{stack.folder}: {error}") from None
