"""Where the bundled stacks are: in a checkout beside the package, in an installed wheel inside of it."""

from __future__ import annotations

from pathlib import Path

import tui


def bundled_root() -> Path:
    """The folder that holds `compose/` and `layouts/`."""
    package = Path(tui.__file__).resolve().parent
    inside = package / "bundled"
    return inside if inside.is_dir() else package.parent
