"""Writes one measurement after the other into the database, as a turbine would, only faster.

First the newest part of the data, which no model has been trained on; after its end a made-up turbine goes on, while
that of a real one is over then. It goes on where it stopped: a time is there once, whatever is restarted.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from windpower import database, places
from windpower.clean import Report, on_grid
from windpower.columns import STEP_MINUTES, TIME, VALUES
from windpower.files import manifest, read_scada, scada_files
from windpower.running import ended, told_to_stop
from windpower.split import HELD_OUT, from_time
from windpower.turbine import Turbine, measurements, with_faults

# A made-up turbine is made by the week: its faults are planted in whole weeks.
WEEK = 7 * 24 * 60 // STEP_MINUTES


def points(folder: Path, after: pd.Timestamp | None) -> Iterator[tuple[pd.Timestamp, list[float | None]]]:
    """The points to stream: time, and values in the order of VALUES as they stand in the data, missing ones None."""
    table = on_grid(read_scada(folder), Report())
    table = table[table[TIME] >= from_time(table[TIME], HELD_OUT)]
    yield from _rows(table, after)
    made = manifest(folder)
    if made is None:
        return
    turbine = Turbine(**made["turbine"])
    start = pd.Timestamp(made["start"]) + pd.Timedelta(minutes=int(made["points"]) * STEP_MINUTES)
    while True:
        if after is None or after < start + pd.Timedelta(minutes=WEEK * STEP_MINUTES):
            table, _ = measurements(turbine, start.strftime("%Y-%m-%dT%H:%M"), WEEK)
            yield from _rows(on_grid(with_faults(table, turbine)[0], Report()), after)
        start += pd.Timedelta(minutes=WEEK * STEP_MINUTES)


def _rows(table: pd.DataFrame, after: pd.Timestamp | None) -> Iterator[tuple[pd.Timestamp, list[float | None]]]:
    if after is not None:
        table = table[table[TIME] > after]
    values = pd.DataFrame(
        {name: pd.to_numeric(table[name], errors="coerce") if name in table.columns else None for name in VALUES},
        index=table.index,
    ).astype("float64")
    for moment, row in zip(table[TIME], values.to_numpy(), strict=True):
        yield moment, [None if value != value else float(value) for value in row]


def main() -> int:
    """Runs until told to stop; ends with 0 when real data is over."""
    seconds = places.number("STREAM_SECONDS", 1, 0, 3600)
    told = told_to_stop()
    folder = places.raw_folder()
    with database.connected(places.database_file()) as shared:
        if not scada_files(folder):
            print(f"waiting for data in {folder}: sparkdeck --stack wind-power data makes a sample", flush=True)
        while not scada_files(folder):
            if told.wait(1):
                return 0
        last = database.newest(shared, "measurements")
        print(f"one point every {seconds:g} s" + (f", after {last}" if last is not None else ""), flush=True)
        written = 0
        for moment, values in points(folder, last):
            written += database.add_measurement(shared, moment, values)
            if written == 1 or written % 100 == 0:
                print(f"{written:,} points, up to {moment}", flush=True)
            if told.wait(seconds):
                print(f"stopped after {moment}", flush=True)
                return 0
        print(f"the data is over, with {database.newest(shared, 'measurements')}: waiting to be stopped", flush=True)
        told.wait()
    return 0


if __name__ == "__main__":
    sys.exit(ended(main))
