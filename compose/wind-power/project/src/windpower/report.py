"""Prints how the application does: python -m windpower.report [--wait 120]."""

from __future__ import annotations

import argparse
import sys
import time

from windpower import places
from windpower.metrics import ENOUGH, WINDOW_DAYS
from windpower.running import ended, told_to_stop
from windpower.state import State, age, figure, links, state


def lines(now: State) -> list[str]:
    """The state as people read it."""
    found, model = now.health, now.model
    told = [now.sentence()]
    if model is not None:
        told.append(
            f"model      {places.MODEL} version {model['version']}, trained {age(model['trained'])} ago, "
            f"MAE {figure(model['test_mae'], 'kW')} on its test part"
        )
    told.append(f"points     {now.counts['predictions']:,} of {now.counts['measurements']:,} predicted")
    if len(now.points):
        told[-1] += f", up to {now.points['Timestamps'].iloc[-1]:%Y-%m-%d %H:%M}"
    told.append(f"{WINDOW_DAYS} days     MAE {figure(found.mae, 'kW')}, threshold {figure(found.mae_limit, 'kW')}")
    told.append(f"           MAPE {figure(found.mape, '%')}, threshold {figure(found.mape_limit, '%')}")
    told.append(f"           measured {figure(found.produced, '%')} of what was predicted")
    return told + [f"{name:<10} {url}" for name, url in links().items()]


def main() -> int:
    """Waits until a verdict is possible, then prints it. Exit codes: 0 printed, 1 not enough points in time."""
    parser = argparse.ArgumentParser(prog="windpower.report", description="How the application does.")
    parser.add_argument("--wait", type=float, default=180, help="seconds to wait for enough points at most [180]")
    until = time.monotonic() + parser.parse_args().wait
    told = told_to_stop()
    now, said = state(), None
    while now.health.scored < ENOUGH and time.monotonic() < until and not told.is_set():
        if (sentence := now.sentence()) != said:
            print(sentence, flush=True)
            said = sentence
        told.wait(2)
        now = state()
    print("\n".join(lines(now)), flush=True)
    return 0 if now.health.scored >= ENOUGH else 1


if __name__ == "__main__":
    sys.exit(ended(main))
