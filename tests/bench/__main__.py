"""`make bench`: the real app in a pseudo-terminal of 160x48 against a loopback Engine API.

CPU in percent of one core, of the app and its children; memory: the peak of the resident sizes, and in brackets how
much it grew meanwhile; keys: median, 95th percentile and slowest, from a key to the screen. References run against the
same engine. The table is Markdown, as the README has it. The exit code is 1 if something could not be measured.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import sys
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path

import psutil

from tests.bench import scenarios
from tests.bench.scenarios import HEAD, Bench, Result, kinds, row
from tests.bench.starts import starts

Scenario = Callable[[Bench], Awaitable[list[Result]]]
SCENARIOS: dict[str, tuple[int, Scenario]] = {
    "docker-stats": (14, scenarios.docker_stats),
    "idle": (14, scenarios.idle),
    "docker-stats-50": (50, scenarios.docker_stats),
    "idle-50": (50, scenarios.idle),
    "idle-200-tcp": (200, scenarios.idle),
    "docker-logs": (14, scenarios.docker_logs),
    "log": (14, scenarios.one_log),
    "all": (14, scenarios.all_logs),
    "counted": (14, scenarios.counted),
}
# The real stack on both engines, without a table.
STARTS = "starts"


async def run(names: list[str], seconds: float) -> bool:
    """Runs scenarios one after the other; whether all could be measured."""
    load = psutil.getloadavg()[0]
    print(f"{psutil.cpu_count()} cores; load before: {load:.1f}" + (" (too high for good figures)" if load > 1 else ""))
    print(HEAD)
    good, results = True, []
    for name in (name for name in names if name != STARTS):
        count, scenario = SCENARIOS[name]
        with tempfile.TemporaryDirectory(prefix="sparkdeck-bench-") as folder:
            bench = Bench(Path(folder), count, seconds, distant=name.endswith("-tcp"))
            try:
                async with bench.engine():
                    for result in await scenario(bench):
                        print(row(result), flush=True)
                        results.append(result)
            except TimeoutError as error:
                good = False
                print(f"{name}: {error}", file=sys.stderr, flush=True)
    for line in filter(None, (*(f"{result.name}: {result.note}" for result in results if result.note), kinds(results))):
        print(f"\n{line}")
    for line in await starts() if STARTS in names else ():
        print(f"\n{line}", flush=True)
    return good


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("scenario", nargs="*", choices=[*SCENARIOS, STARTS, []], help="all if none is named")
    parser.add_argument("--seconds", type=float, default=6, help="how long each measurement takes")
    arguments = parser.parse_args()
    if shutil.which("docker") is None:
        parser.error("there is no command `docker` on the PATH, which reads the compose project (no engine is needed)")
    return 0 if asyncio.run(run(arguments.scenario or [*SCENARIOS, STARTS], arguments.seconds)) else 1


if __name__ == "__main__":
    sys.exit(main())
