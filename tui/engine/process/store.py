"""Replicas as their folders tell of them."""

from __future__ import annotations

import errno
import hashlib
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from platformdirs import user_state_path

from tui.engine.interface import EngineError, Health, Replica, State
from tui.engine.process.identity import is_same
from tui.engine.process.spec import Spec
from tui.engine.process.state import CREATED, ENDED, RESTARTING, RUNNING, read_json, write_json
from tui.stack.environment import project_name
from tui.stack.model import Port, Stack

_STATES = {RUNNING: State.RUNNING, RESTARTING: State.RESTARTING, ENDED: State.ENDED, CREATED: State.CREATED}
LOCALHOST = "127.0.0.1"


def state_root() -> Path:
    """Where all copies of stacks keep what is known of their processes."""
    return user_state_path("sparkdeck") / "processes"


def state_folder(stack: Stack) -> Path:
    """Where a copy of a stack keeps what is known of its processes: private, and apart for every copy."""
    copy = hashlib.sha256(str(stack.home.resolve()).encode()).hexdigest()[:8]
    return state_root() / f"{project_name(stack).rpartition('-')[0]}-{copy}"


def has_processes(stack: Stack) -> bool:
    """Whether this stack has replicas as processes."""
    folder = state_folder(stack) / "replicas"
    return any(folder.glob("*/spec.json"))


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Says in words what the disk refuses."""
    try:
        yield
    except FileExistsError:
        raise
    except OSError as error:
        hint = "Make room on that disk" if error.errno in (errno.ENOSPC, errno.EDQUOT) else "See whose folder it is"
        raise EngineError(
            f"What is known of this stack's processes cannot be kept in {folder}: {error.strerror or error}. "
            f"{hint}, then try again; what runs goes on."
        ) from None


class Store:
    """The folders of a stack's replicas."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._replicas = folder / "replicas"

    def add(self, spec: Spec) -> Path:
        """Makes a replica's folder. Raises FileExistsError if its name is taken."""
        folder = self._replicas / spec.name
        if folder.exists():
            raise FileExistsError(folder)
        # Whole or not at all, also for a tool that is killed meanwhile.
        made = self._replicas / f".{spec.id}"
        self._replicas.mkdir(parents=True, exist_ok=True, mode=0o700)
        made.mkdir(mode=0o700)
        try:
            self.write(made, spec)
            write_json(made / "state.json", {"state": CREATED})
            return made.rename(folder)
        except BaseException:
            shutil.rmtree(made, ignore_errors=True)
            raise

    def write(self, folder: Path, spec: Spec) -> None:
        """Writes down what is to run."""
        write_json(folder / "spec.json", asdict(spec))

    def replicas(self) -> list[Replica]:
        """Every replica and run."""
        found = []
        for folder in self._folders():
            one = self._replica(folder)
            if one is not None:
                found.append(one)
        return sorted(found, key=lambda one: (one.service, one.is_run, one.number, one.name))

    def _folders(self) -> list[Path]:
        found = self._replicas.iterdir() if self._replicas.is_dir() else ()
        return sorted(one for one in found if one.is_dir() and not one.name.startswith("."))

    def folder_of(self, replica_id: str) -> Path:
        """Where a replica's folder is. Raises EngineError if there is none."""
        for folder in self._folders():
            spec = read_json(folder / "spec.json")
            if spec is not None and spec.get("id") == replica_id:
                return folder
        raise EngineError("This replica is not there (any more)")

    def spec(self, folder: Path) -> dict[str, Any]:
        """What a replica runs. Raises EngineError if that cannot be read."""
        found = read_json(folder / "spec.json")
        if found is None:
            raise EngineError(f"{folder}/spec.json cannot be read; `sparkdeck down` removes what is left of it")
        return found

    def state(self, folder: Path) -> dict[str, Any]:
        """How a replica is, checked against the processes that there really are."""
        found = read_json(folder / "state.json") or {"state": ENDED}
        if found.get("state") in (RUNNING, RESTARTING):
            kept = is_same(found.get("keeper"), found.get("keeper_start"))
            alive = is_same(found.get("child"), found.get("child_start"))
            if not kept and not alive:
                # Killed together, or from before a restart of the machine: how it ended nobody saw.
                found |= {"state": ENDED, "exit_code": None, "health": "none", "keeper": None, "child": None}
                found["unseen"] = True
        return found

    def unseen(self) -> set[tuple[str, str]]:
        """Service and id of the replicas whose end no keeper has written down."""
        specs = (read_json(folder / "spec.json") for folder in self._folders() if self.state(folder).get("unseen"))
        return {(spec["service"], spec["id"]) for spec in specs if spec is not None}

    def sweep(self, volumes: bool) -> None:
        """Removes the rest of a stack that is down; its volumes only when told."""
        for item in self.folder.iterdir() if self.folder.is_dir() else ():
            if item.name == "lock" or (item.name == "volumes" and not volumes):
                continue
            shutil.rmtree(item) if item.is_dir() else item.unlink()
        if not (self.folder / "volumes").exists():
            shutil.rmtree(self.folder)

    def remove(self, folder: Path) -> None:
        """Removes a replica with its log."""
        shutil.rmtree(folder, ignore_errors=True)

    def _replica(self, folder: Path) -> Replica | None:
        spec = read_json(folder / "spec.json")
        if spec is None:
            return None
        state = self.state(folder)
        return Replica(
            id=spec["id"],
            name=spec["name"],
            service=spec["service"],
            number=spec["number"],
            state=_STATES.get(state.get("state", ""), State.UNKNOWN),
            health=Health(state.get("health") or "none"),
            health_output=str(state.get("health_output") or ""),
            exit_code=state.get("exit_code"),
            restarts=int(state.get("restarts") or 0),
            created_at=datetime.fromisoformat(spec["created_at"]),
            started_at=_moment(state.get("started_at")),
            ended_at=_moment(state.get("ended_at")),
            ports=tuple(Port(**port) for port in spec["ports"]),
            addresses=(LOCALHOST,),
            host=LOCALHOST,
            command=tuple(spec["command"]),
            labels=spec["labels"],
        )


def size(folder: Path) -> int:
    """Bytes of a folder's files."""
    return sum(item.lstat().st_size for item in folder.rglob("*") if item.is_file())


def _moment(seconds: Any) -> datetime | None:
    return datetime.fromtimestamp(seconds, UTC) if isinstance(seconds, int | float) else None
