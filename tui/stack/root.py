"""Where we are: the folder that we were started in; and the bundled stacks', in a checkout or in an installed wheel."""

from __future__ import annotations

from pathlib import Path

import tui


def bundled_root() -> Path:
    """The folder that holds `compose/` and `layouts/`."""
    package = Path(tui.__file__).resolve().parent
    inside = package / "bundled"
    return inside if inside.is_dir() else package.parent


def folder_here() -> Path | None:
    """The folder that we were started in; None once it is gone."""
    try:
        return Path.cwd()
    except OSError:
        return None
