"""What docker compose's own options and variables choose: files, folder, settings, name, profiles.

Rules and order are those of compose: https://docs.docker.com/compose/how-tos/environment-variables/envvars/
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tui.stack.environment import read_env_file, read_environment
from tui.stack.errors import StackError
from tui.stack.model import Stack

FILES, SEPARATOR = "COMPOSE_FILE", "COMPOSE_PATH_SEPARATOR"
ENV_FILES, PROFILES = "COMPOSE_ENV_FILES", "COMPOSE_PROFILES"


@dataclass(frozen=True, slots=True)
class Selection:
    """Compose's options as they stand on a command line; nothing is chosen by what is empty."""

    files: tuple[str, ...] = ()
    directory: str = ""
    env_files: tuple[str, ...] = ()
    project_name: str = ""
    profiles: tuple[str, ...] = ()

    @property
    def names_project(self) -> bool:
        """Whether it says by itself which project is meant."""
        return bool(self.files or self.directory)

    def words(self, cwd: Path) -> tuple[str, ...]:
        """The same options, valid in any folder."""
        said = [
            *(("--file", str((cwd / file).absolute())) for file in self.files),
            *((("--project-directory", str((cwd / self.directory).absolute())),) if self.directory else ()),
            *(("--env-file", str((cwd / file).absolute())) for file in self.env_files),
            *((("--project-name", self.project_name),) if self.project_name else ()),
            *(("--profile", profile) for profile in self.profiles),
        ]
        return tuple(word for pair in said for word in pair)


NOTHING = Selection()


def named_files(folder: Path, *, also: Mapping[str, str] | None = None) -> tuple[Path, ...]:
    """The compose files that COMPOSE_FILE names in a folder's `.env` or in `also`, which goes before; they may lack.

    Raises StackError if `.env` cannot be read, or COMPOSE_FILE names what is no file.
    """
    known = {**read_env_file(folder / ".env"), **(also or {})}
    names = [name for name in known.get(FILES, "").split(known.get(SEPARATOR) or os.pathsep) if name]
    return tuple(existing(folder / name, FILES) for name in names)


def existing(file: Path, named_by: str) -> Path:
    """The file. Raises StackError if it is not there."""
    if not file.is_file():
        raise StackError(f"There is no file {file}, which {named_by} names.")
    return file.absolute()


def applied(stack: Stack, selection: Selection, cwd: Path) -> Stack:
    """A stack with the settings files, the name and the profiles that are chosen.

    Options go before the environment, and that before `.env`. Raises StackError for a settings file that is not there.
    """
    said = [(name, "--env-file") for name in selection.env_files]
    said = said or [(name, ENV_FILES) for name in os.environ.get(ENV_FILES, "").split(",") if name]
    files = tuple(existing((cwd / name).absolute(), by) for name, by in said)
    stack = replace(stack, env_files=files, project_name=selection.project_name)
    profiles: Sequence[str] = selection.profiles
    if not profiles:
        known = {**read_environment(stack), **os.environ}
        profiles = [name for part in known.get(PROFILES, "").split(",") if (name := part.strip())]
    return replace(stack, profiles=tuple(dict.fromkeys(profiles)))
