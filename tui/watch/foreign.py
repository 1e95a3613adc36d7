"""Whose the containers of a project's name are: two checkouts, or two file sets of one folder, can have one name."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from tui.engine.interface import Replica
from tui.stack.model import Stack


def foreign(stack: Stack, replicas: Iterable[Replica]) -> list[Replica]:
    """Those that were made from other compose files: of another folder, or of this one but none of those in use.

    What an engine does not tell counts as ours, and so do files that are there no more: they may have been renamed.
    """
    variants = [stack.folder / name for variant in stack.layout.variants for name in variant.files]
    ours = {file.resolve() for file in (*stack.files, *variants)}

    def is_foreign(replica: Replica) -> bool:
        files = {Path(name).resolve() for name in replica.files}
        if replica.folder and Path(replica.folder).resolve() != stack.folder.resolve():
            return files.isdisjoint(ours)
        return bool(files) and files.isdisjoint(ours) and all(file.is_file() for file in files)

    return [replica for replica in replicas if is_foreign(replica)]


def whose(stack: Stack, name: str, replicas: Iterable[Replica]) -> str:
    """Says whose the containers of the project `name` are that are not this stack's; empty where all are."""
    found = foreign(stack, replicas)
    if not found:
        return ""
    owners = sorted({", ".join(one.files) or one.folder for one in found})
    services = ", ".join(sorted({one.service for one in found})[:5])
    return (
        f"Containers of the project {name} ({services}) are not this stack's: they were made from "
        f"{' and '.join(owners)}, not from {', '.join(map(str, stack.files))}."
    )
