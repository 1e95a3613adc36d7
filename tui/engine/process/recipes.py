"""What a stack's services need that is made once: an environment for each list of requirements, and builds."""

from __future__ import annotations

import hashlib
import os
import platform
import re
import shutil
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from tui.engine.interface import EngineError
from tui.engine.process.cache import Recipe
from tui.engine.process.spark import HELP, spark_home
from tui.stack.model import BuildSpec, Layout, ProcessSpec

_INCLUDED = re.compile(r"^[ \t]*(?:-r|-c|--requirement|--constraint)[ \t=]*(\S+)", re.MULTILINE)
_NAMED_FILE = re.compile(r"\{folder\}/([^\s{}]+)")
_PLACE = re.compile(r"\{(folder|target|python|spark)\}")

# So many names are not all said.
MANY = 4


class Recipes:
    """What a stack's services need. `folder`: the compose project's. Raises EngineError for a file that is missing."""

    def __init__(self, folder: Path, layout: Layout, spec: ProcessSpec, services: Iterable[str]) -> None:
        self._folder = folder
        self._spec = spec
        files = {name: getattr(layout.service(name).process, "requirements", "") for name in services}
        self._files = {name: file for name, file in files.items() if file}

    def environment(self, service: str) -> Recipe | None:
        """The Python environment of a service; None for one that has no requirements of its own."""
        file = self._files.get(service)
        if not file:
            return None
        sharing = [name for name, other in self._files.items() if other == file]
        whose = ", ".join(sharing) if len(sharing) < MANY else f"{sharing[0]} and {len(sharing) - 1} more"
        return environment(self._folder / file, f"environment of {whose}")

    def build(self, name: str) -> Recipe:
        """A build by its name. Raises EngineError if there is none."""
        found = next((one for one in getattr(self._spec, "builds", ()) if one.name == name), None)
        if found is None:
            names = ", ".join(one.name for one in getattr(self._spec, "builds", ())) or "none"
            raise EngineError(f"{{build:{name}}}: process.builds has no {name!r}. It has: {names}")
        return build(found, self._folder, self._spec.packages)

    def builds(self) -> list[Recipe]:
        """Every build: each service may call what any of them has made."""
        return [self.build(one.name) for one in getattr(self._spec, "builds", ())]

    def needed(self, services: Sequence[str]) -> list[Recipe]:
        """All that these services need, in the order of making."""
        found = [self.environment(name) for name in services]
        for one in getattr(self._spec, "builds", ()):
            if one.requirements:
                found.append(_tools(one, self._folder))
            found.append(self.build(one.name))
        return list({recipe.folder: recipe for recipe in found if recipe is not None}.values())


def environment(file: Path, title: str) -> Recipe:
    """A Python environment with what a requirements file lists, made by uv for this Python."""
    key = _key(*_requirements(file), platform.python_implementation(), platform.python_version())
    recipe = Recipe(
        "environment",
        key,
        f"{title} ({file.name})",
        commands=lambda: [
            [uv(), "venv", "--quiet", "--no-project", "--python", sys.executable, str(recipe.target)],
            [uv(), "pip", "install", "--python", str(recipe.programs / "python"), "--requirements", str(file)],
        ],
        environment={"UV_PYTHON_DOWNLOADS": "never"},
        proof="bin/python",
        # Each of a hundred packages.
        unsaid=(" + ",),
    )
    return recipe


def build(spec: BuildSpec, folder: Path, packages: Sequence[str]) -> Recipe:
    """What a layout's build makes. One without requirements runs with the stack's packages: their releases count."""
    files = sorted({name for word in spec.command for name in _NAMED_FILE.findall(word)})
    texts = [_text(folder / name) for name in files if (folder / name).is_file()]
    tools = _tools(spec, folder) if spec.requirements else None
    own = [tools.name] if tools else [f"{name}=={_release(name)}" for name in packages]
    programs = tools.programs if tools else Path(sys.executable).parent

    def commands() -> list[list[str]]:
        known: Mapping[str, Callable[[], Path]] = {
            "folder": lambda: folder,
            "target": lambda: recipe.target,
            "python": lambda: programs / "python" if tools else Path(sys.executable),
            "spark": spark_home,
        }
        filled = [_PLACE.sub(lambda match: str(known[match[1]]()), word) for word in spec.command]
        # Found on the PATH that it gets, not on ours.
        return [[shutil.which(filled[0], path=path) or filled[0], *filled[1:]]]

    path = os.pathsep.join([str(programs), os.environ.get("PATH", os.defpath)])
    recipe = Recipe(
        "build",
        f"{spec.name}-{_key(*spec.command, *texts, *own)}",
        spec.title or f"build {spec.name}",
        commands=commands,
        environment={"PATH": path, "PYTHONUNBUFFERED": "1", **({"VIRTUAL_ENV": str(tools.target)} if tools else {})},
    )
    return recipe


def uv() -> str:
    """The program that makes environments. Raises EngineError where there is none."""
    try:
        from uv import find_uv_bin

        return find_uv_bin()
    except (ImportError, FileNotFoundError):
        found = shutil.which("uv")
    if found is None:
        raise EngineError(
            f"uv, which makes the Python environments of services, is not installed here. Install it: {HELP}"
        )
    return found


def _tools(spec: BuildSpec, folder: Path) -> Recipe:
    return environment(folder / spec.requirements, f"environment of build {spec.name}")


def _requirements(file: Path, seen: tuple[Path, ...] = ()) -> list[str]:
    """A requirements file's text and that of the files that it names, as pip reads them."""
    text = _text(file)
    named = [file.parent / name for name in _INCLUDED.findall(text)]
    more = [_requirements(other, (*seen, file)) for other in named if other not in (*seen, file)]
    return [text, *(one for found in more for one in found)]


def _text(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "is not text in UTF-8"
        raise EngineError(f"{file}, which the layout names under `process`, cannot be read: {why}.") from None


def _key(*texts: str) -> str:
    """Of whatever makes the result another one; the machine counts, a home may be shared by several."""
    whole = "\0".join([*texts, sys.platform, platform.machine()])
    return hashlib.sha256(whole.encode()).hexdigest()[:16]


def _release(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""
