"""The `.env` of a stack, and the host folders that its services mount."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import string
from collections.abc import Callable, Mapping, Set
from pathlib import Path

from dotenv import dotenv_values

from tui.stack.errors import StackError
from tui.stack.model import DataSpec, Generated, Mount, Project, Stack
from tui.stack.wholefile import whole_file

# Whom services that must not be root run as when root starts them: the first user of most machines.
NOT_ROOT = 1000
_BARE = re.compile(r"[A-Za-z0-9_./@%:+,=-]+")


def read_environment(stack: Stack) -> dict[str, str]:
    """The variables that the stack's settings set; empty if there are none. Raises StackError if unreadable."""
    files = stack.env_files or (stack.env_file,)
    return {name: value for file in files for name, value in read_env_file(file).items()}


def read_env_file(file: Path) -> dict[str, str]:
    """The variables that an `.env` file sets; empty if there is none. Raises StackError if unreadable."""
    try:
        values = dotenv_values(file)
    except (OSError, UnicodeDecodeError) as error:
        raise StackError(f"{file} cannot be read: {_reason(error)}") from error
    return {name: value for name, value in values.items() if value is not None}


def port_variables(stack: Stack, *, defaults: bool = False) -> dict[int, str]:
    """The ports that variables of the compose files give, ranges written out, with the variable's name.

    Those that the user set, here or in `.env`; with `defaults` those that hold without him, too. Raises StackError.
    """
    own = {**read_environment(stack), **os.environ}
    found: dict[int, str] = {}
    for file in stack.files:
        text = file.read_text(encoding="utf-8", errors="replace")
        for name, default in re.findall(r"\$\{(\w*PORT\w*)(?::?-(\d+(?:-\d+)?))?", text):
            match = re.fullmatch(r"(\d{1,5})(?:-(\d{1,5}))?", own.get(name, default if defaults else ""))
            for port in range(int(match[1]), int(match[2] or match[1]) + 1) if match else ():
                found.setdefault(port, name)
    return found


def project_name(stack: Stack) -> str:
    """A compose project name of this copy's own: NAME and 6 hex digits of the sha256 of its home folder."""
    name = re.sub(r"[^a-z0-9_-]", "-", stack.name.lower()).lstrip("-_") or "stack"
    return f"{name}-{hashlib.sha256(str(stack.home.resolve()).encode()).hexdigest()[:6]}"


def prepare_environment(stack: Stack, owner: tuple[int, int] | None) -> list[str]:
    """Sees to it that `.env` has what the layout generates; `owner` is the user and group id for services, None where
    that is not known yet.

    A missing `.env` is made from `.env.example`; an existing one keeps its lines and gets only what it lacks. One that
    gets credentials is its owner's alone from then on. Returns what was done, in sentences, without any credential.
    Raises StackError if a file cannot be read or written.
    """
    wanted = _generated(stack, owner)
    file = stack.env_file
    if not wanted:
        return []
    kinds = stack.layout.environment
    hidden = {name for name, kind in kinds.items() if kind.is_credential}
    try:
        if file.exists():
            present = dotenv_values(file)
            # A credential that is set to nothing is missing.
            missing = {
                name: value
                for name, value in wanted.items()
                if name not in present or (name in hidden and not present[name])
            }
            if not missing:
                return []
            mode = file.stat().st_mode & (0o700 if hidden & set(missing) else 0o777)
            _write(file, _appended(file.read_text("utf-8"), missing), mode)
            return [f"Added to {file}: {_listed(missing, hidden)}."]
        example = stack.env_example
        text = example.read_text("utf-8") if example.is_file() else ""
        file.parent.mkdir(parents=True, exist_ok=True)
        _write(file, _filled(text, wanted), 0o600)
        origin = f" from {example.name}" if text else ""
        return [f"Wrote {file}{origin}, with {_listed(wanted, hidden)}."]
    except (OSError, UnicodeDecodeError) as error:
        raise StackError(f"{file} could not be prepared: {_reason(error)}") from error


def bind_folders(stack: Stack, project: Project) -> list[Path]:
    """The host folders that services mount from below the stack's home or its WORK_DIR, in order.

    A source whose last part has a suffix is taken for a file. Links are followed: one that leads elsewhere,
    or nowhere, is not ours.
    """
    mounts = [mount for service in project.services.values() for mount in service.mounts]
    return _below([_folder(stack.home), _folder(work_folder(stack))], mounts)


def work_folders(stack: Stack, project: Project) -> list[Path]:
    """Those of `bind_folders` that hold the user's data and results: below the work folder, written by services.

    What is mounted from elsewhere, or only to be read, is source code: nobody may empty that.
    """
    mounts = [mount for service in project.services.values() for mount in service.mounts]
    sources = {_folder(Path(mount.source)) for mount in mounts if mount.kind == "bind" and mount.read_only}
    work = _folder(work_folder(stack))
    return [folder for folder in _below([work], mounts) if folder not in sources and folder != work]


def has_data(project: Project, spec: DataSpec) -> bool:
    """Whether the data folder holds anything; hidden files do not count."""
    folder = project.host_path(spec.service, spec.folder)
    if folder is None or not folder.is_dir():
        return False
    return any(not entry.name.startswith((".", "_")) and not entry.name.endswith(".part") for entry in folder.iterdir())


def work_folder(stack: Stack) -> Path:
    """WORK_DIR, or `work` in the stack's home."""
    # As in docker compose: the caller's own variable goes first, and the compose file's folder is the base.
    work = os.environ.get("WORK_DIR") or read_environment(stack).get("WORK_DIR")
    return stack.folder / work if work else stack.home / "work"


def _below(roots: list[Path | None], mounts: list[Mount]) -> list[Path]:
    found: set[Path] = set()
    for mount in mounts:
        folder = _folder(Path(mount.source)) if mount.kind == "bind" else None
        if folder and not folder.suffix and any(root and folder.is_relative_to(root) for root in roots):
            found.add(folder)
    return sorted(found)


def create_folders(stack: Stack, project: Project) -> list[Path]:
    """Makes the missing ones of `bind_folders`, which Docker would make as root, and returns those it made.

    They are made for the user whom `.env` names: root must give them away. Raises StackError naming the folder that
    cannot be made.
    """
    made = []
    user, group = _service_user(stack)
    for folder in bind_folders(stack, project):
        try:
            if folder.exists():
                continue
            folder.mkdir(parents=True, exist_ok=True)
            if os.getuid() == 0:
                os.chown(folder, user, group)
        except OSError as error:
            raise StackError(f"The folder {folder} cannot be made: {_reason(error)}") from error
        made.append(folder)
    return made


def _service_user(stack: Stack) -> tuple[int, int]:
    """User and group id that the layout's variables have in `.env`; -1 for one that is not told."""
    kinds = stack.layout.environment
    values = read_environment(stack)
    user = next((values.get(name, "") for name, kind in kinds.items() if kind.is_user), "")
    group = next((values.get(name, "") for name, kind in kinds.items() if kind.is_group), "")
    return (int(user) if user.isdecimal() else -1, int(group) if group.isdecimal() else -1)


def _folder(path: Path | None) -> Path | None:
    """A path with its links followed; None for a file and for what cannot be a folder."""
    try:
        found = path.resolve() if path and path.is_absolute() else None
        return None if found is None or found.is_file() else found
    except (OSError, RuntimeError, ValueError):  # a loop of links, a name too long, a zero byte
        return None


def _generated(stack: Stack, owner: tuple[int, int] | None) -> dict[str, str]:
    values: dict[Generated, Callable[[], str]] = {
        Generated.PROJECT_NAME: lambda: project_name(stack),
        Generated.ACCESS_KEY: lambda: _random(string.ascii_uppercase + string.digits, 20),
        Generated.SECRET_KEY: lambda: _random(string.ascii_letters + string.digits, 40),
    }
    if owner is not None:
        # Where the engine maps its root to a user, that user is none of ours to replace.
        own = (NOT_ROOT, NOT_ROOT) if owner[0] == 0 == os.getuid() else owner
        values |= {
            Generated.USER_ID: lambda: str(owner[0]),
            Generated.GROUP_ID: lambda: str(owner[1]),
            Generated.NONROOT_USER_ID: lambda: str(own[0]),
            Generated.NONROOT_GROUP_ID: lambda: str(own[1]),
        }
    kinds = stack.layout.environment
    wanted = {name: values[kind]() for name, kind in kinds.items() if kind in values}
    if stack.home != stack.folder:  # an installed package's folder: nothing is written there
        wanted["WORK_DIR"] = str(stack.home / "work")
    return wanted


def _filled(text: str, wanted: Mapping[str, str]) -> str:
    """The example with these variables set in their own lines (`#NAME=` counts), the others at the end."""
    missing = dict(wanted)
    for name, value in wanted.items():
        line = re.compile(rf"^[ \t]*(?:#[ \t]*)?(?:export[ \t]+)?{name}[ \t]*=.*$", re.MULTILINE)
        # A line that sets it goes before one in a comment.
        lines = sorted(line.finditer(text), key=lambda found: found[0].lstrip().startswith("#"))
        if lines:
            text = text[: lines[0].start()] + f"{name}={_quoted(name, value)}" + text[lines[0].end() :]
            del missing[name]
    return _appended(text, missing) if missing else text


def _appended(text: str, missing: Mapping[str, str]) -> str:
    lines = "".join(f"{name}={_quoted(name, value)}\n" for name, value in missing.items())
    start = f"{text}\n" if text and not text.endswith("\n") else text
    gap = "\n" if start else ""
    return f"{start}{gap}# Written by sparkdeck for this copy of the stack.\n{lines}"


def _quoted(name: str, value: str) -> str:
    """A value that python-dotenv and docker compose read alike."""
    if _BARE.fullmatch(value):
        return value
    if any(mark in value for mark in ("'", "\\", "${")) or not value.isprintable():
        raise StackError(
            f"{name} cannot be {value!r} in an .env file. "
            "Choose a folder without quotes, backslashes and ${ in its name."
        )
    return f"'{value}'"


def _write(file: Path, text: str, mode: int) -> None:
    target = file.resolve()  # a link stays one
    with whole_file(target) as stream:
        stream.write(text)
        os.fchmod(stream.fileno(), mode)
        stream.flush()
        os.fsync(stream.fileno())


def _random(letters: str, length: int) -> str:
    return "".join(secrets.choice(letters) for _ in range(length))


def _listed(values: Mapping[str, str], hidden: Set[str]) -> str:
    return ", ".join(f"{name}={'(generated)' if name in hidden else value}" for name, value in values.items())


def _reason(error: Exception) -> str:
    return (error.strerror or str(error)) if isinstance(error, OSError) else "it is not text in UTF-8"
