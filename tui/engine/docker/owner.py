"""As whom a container must run, so that what it writes into mounted folders is the present user's."""

from __future__ import annotations

import os
import platform
import sys

from tui.engine.docker.answers import Machine


def owner_of(machine: Machine) -> tuple[int, int]:
    """User and group id.

    A rootless engine, and Docker Desktop on Linux, map a container's root to the user who runs them, and its
    other users to ids nobody has. Docker Desktop elsewhere gives mounted files to the user anyhow.
    """
    rootless = any("name=rootless" in option for option in machine.security_options or ())
    # Under WSL the folders of Linux are mounted as they are.
    desktop = machine.operating_system == "Docker Desktop" and sys.platform == "linux"
    if rootless or (desktop and "microsoft" not in platform.release().lower()):
        return 0, 0
    return os.getuid(), os.getgid()
