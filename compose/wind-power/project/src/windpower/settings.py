"""Kedro's settings of this project: https://docs.kedro.org/en/stable/configure/configuration_basics/"""

from __future__ import annotations

from windpower import places

# They write into the project's folder, which is read-only, and into the network.
DISABLE_HOOKS_FOR_PLUGINS = ("kedro-viz", "kedro-telemetry")

_FOLDERS = {"results": places.results_folder}
_SETTINGS = {"TRIALS": places.trials}

CONFIG_LOADER_ARGS = {
    "base_env": "base",
    "default_run_env": "base",
    "custom_resolvers": {
        "folder": lambda name: str(_FOLDERS[name]()),
        "setting": lambda name: _SETTINGS[name](),
    },
}
