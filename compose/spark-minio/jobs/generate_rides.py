"""Makes a year of bike rides that never were: generate_rides.py --rows 200000.

    python generate_rides.py [--rows N] [--seed N] [--output FOLDER]

Writes FOLDER/rides/rides-2024-MM.csv.gz, a file a month, in place of those that it made before. The same --rows and
--seed give the same rides. More rides in summer and in the rush hours, busy and quiet stations, three kinds of bike
with prices of their own. As in real files, a few rows cannot be used: in each file one in 500 has no station or a
duration of zero or less, and one in 500 stands there twice.
"""

from __future__ import annotations

import argparse
import calendar
import os
import sys
from pathlib import Path

import numpy as np
import pandas as pd

YEAR = 2024
STATIONS = ("Abbey", "Bridge", "Castle", "Docks", "Exchange", "Forum", "Gardens", "Harbour", "Island", "Junction")
# By the power law that such counts follow: the busiest station has ten times the rides of the last.
STATION_WEIGHTS = 1 / np.arange(1, len(STATIONS) + 1)
MONTH_WEIGHTS = np.array([3, 3, 5, 7, 9, 11, 12, 12, 9, 7, 4, 3], dtype=float)
HOUR_WEIGHTS = np.array([1, 1, 0, 0, 0, 1, 3, 7, 9, 5, 4, 4, 5, 5, 5, 6, 8, 10, 8, 5, 3, 2, 2, 1], dtype=float)
# Kind, share, cents to unlock, cents a minute, km/h.
BIKES = (("classic", 0.6, 100, 8, 13.0), ("electric", 0.35, 150, 15, 18.0), ("cargo", 0.05, 200, 20, 11.0))
SPOILT_ONE_IN = 500


def month_rows(rows: int) -> list[int]:
    """How many rides each month gets; they add up to `rows`."""
    ends = np.rint(np.cumsum(MONTH_WEIGHTS / MONTH_WEIGHTS.sum()) * rows).astype(int)
    return [int(count) for count in np.diff(ends, prepend=0)]


def rides(month: int, count: int, first_id: int, seed: int) -> pd.DataFrame:
    """`count` rides of a month (1 to 12) with ids from `first_id` on, all of them usable."""
    random = np.random.default_rng([seed, month])
    start = np.datetime64(f"{YEAR}-{month:02d}-01", "s")
    days = calendar.monthrange(YEAR, month)[1]
    hours = random.choice(24, count, p=HOUR_WEIGHTS / HOUR_WEIGHTS.sum())
    seconds = random.integers(0, days, count) * 86_400 + hours * 3600 + random.integers(0, 3600, count)
    kind = random.choice(len(BIKES), count, p=[share for _, share, *_ in BIKES])
    unlock, per_minute, speed = (np.array([bike[column] for bike in BIKES])[kind] for column in (2, 3, 4))
    minutes = np.maximum(1, np.rint(random.gamma(2.5, 6, count))).astype(int)
    return pd.DataFrame(
        {
            "ride_id": np.arange(first_id, first_id + count),
            "started_at": start + np.sort(seconds),
            "station": random.choice(STATIONS, count, p=STATION_WEIGHTS / STATION_WEIGHTS.sum()),
            "bike": np.array([name for name, *_ in BIKES])[kind],
            "minutes": minutes,
            "km": np.round(minutes / 60 * speed * random.uniform(0.7, 1.1, count), 2),
            "cents": unlock + per_minute * minutes,
        }
    )


def spoilt(clean: pd.DataFrame) -> pd.DataFrame:
    """The same rides as a file has them: some without a station or with no duration, some twice."""
    frame = clean.copy()
    frame.loc[frame.index[:: SPOILT_ONE_IN * 2], "station"] = None
    frame.loc[frame.index[SPOILT_ONE_IN :: SPOILT_ONE_IN * 2], "minutes"] = 0
    return pd.concat([frame, frame.iloc[7::SPOILT_ONE_IN]], ignore_index=True)


def generate(rows: int, seed: int, output: Path) -> list[Path]:
    """Writes the files and returns them."""
    folder = output / "rides"
    folder.mkdir(parents=True, exist_ok=True)
    files, first_id = [], 1
    for month, count in enumerate(month_rows(rows), start=1):
        file = folder / f"rides-{YEAR}-{month:02d}.csv.gz"
        part = file.with_suffix(".part")
        # mtime: the same rides are the same bytes.
        packed = {"method": "gzip", "compresslevel": 3, "mtime": 0}
        spoilt(rides(month, count, first_id, seed)).to_csv(part, index=False, compression=packed)
        part.replace(file)
        files.append(file)
        first_id += count
    return files


def main() -> int:
    """0 when the files are written, 1 when they cannot be."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=200_000, help="rides in all (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=7, help="(default: %(default)s)")
    parser.add_argument("--output", type=Path, default=Path(os.environ.get("DATA_DIR", "/data")))
    options = parser.parse_args()
    if options.rows < 1:
        parser.error("--rows: 1 or more")
    try:
        files = generate(options.rows, options.seed, options.output)
    except OSError as error:
        print(f"{options.output}: {error}", file=sys.stderr)
        return 1
    size = sum(file.stat().st_size for file in files) / 1e6
    print(f"{options.rows:,} rides of {YEAR} in {files[0].parent}: {len(files)} files, {size:.1f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
