"""Make flights that look like a year of US BTS On-Time Performance data: generate.py --rows 1000000.

Every number is invented. The carriers, airports, distances and time zones are real ones, the delays are not:
nothing here says anything about any carrier or airport. The same --rows, --seed and --year give the same
flights. Days are made one after the other in blocks of at most BLOCK flights, so memory does not grow with
--rows (a year of 100 million flights is about 25 GB of CSV).

Planted effects, on the log-odds of arriving 15 minutes late or more (flightgen/world.py has the numbers):
  carrier      14 carriers from -0.7 (HA, DL) to +0.7 (F9, NK)
  airport      each origin and, half as strong, each destination: congested ones (EWR, LGA, ORD, SFO, JFK)
               up to +0.6, quiet ones (HNL, SLC, SMF) down to -0.5
  hour         rises through the day from -1.1 at 5 h to +0.8 at 19 h, then falls
  season       summer (peak mid-July, +0.35) and the winter holidays (peak end of December, +0.45)
  weekday      Thu, Fri, Sun +0.15; Tue, Sat -0.2
  weather      an airport has a bad day with a chance of 4 to 14 % by its climate and the season: +1.6 at the
               origin, +1.2 at the destination. No column tells of it in advance: it is the part of the delay
               that a schedule-only model cannot know. It also causes most cancellations and diversions.
  knock-on     an aircraft flies up to 6 legs a day; what it is late on arrival beyond the slack of its
               scheduled turnaround (more than 30 minutes) delays its next departure by as much
Between 16 and 20 % of the flights are late; 1.5 % cancelled, 0.25 % diverted. A model that knows the
timetable alone can reach an AUC of about 0.65 to 0.72.
"""

import argparse
import json
import os
import sys
import time
from pathlib import Path

from flightgen.files import FORMATS, Writer
from flightgen.flights import days_of, flights

MANIFEST = "_generated.json"


def generate(rows: int, seed: int, year: int, output: Path, form: str, replace: bool) -> dict[str, object]:
    """Write the flights, a file a month, and a manifest of the files. Returns the manifest.

    Raises FileExistsError where output already has a generated data set and replace is not set.
    """
    manifest = output / MANIFEST
    known = json.loads(manifest.read_text()) if manifest.exists() else {"files": []}
    present = [name for name in known["files"] if (output / name).exists()]
    if present and not replace:
        raise FileExistsError(
            f"{output}: has {known['rows']:,} generated flights already. Give --replace to make new ones."
        )
    output.mkdir(parents=True, exist_ok=True)
    manifest.unlink(missing_ok=True)
    for name in present:
        (output / name).unlink()
    started = told = time.monotonic()
    done = 0
    with Writer(output, form) as writer:
        for day, count in days_of(year, rows):
            for block in flights(day, count, seed):
                writer.write(block, f"{day:%Y_%m}")
                done += block.num_rows
                now = time.monotonic()
                if now - told >= 1:
                    told = now
                    print(
                        f"{done:,} of {rows:,} flights, {done / (now - started):,.0f}/s, {day}",
                        file=sys.stderr,
                        flush=True,
                    )
        files = writer.close()
    result: dict[str, object] = {"rows": done, "seed": seed, "year": year, "format": form, "files": files}
    part = manifest.with_suffix(".part")
    part.write_text(json.dumps(result, indent=2) + "\n")
    part.replace(manifest)
    return result


def _count(text: str) -> int:
    digits = text.replace(",", "").replace("_", "")
    if not digits.isdecimal() or int(digits) < 1:
        raise argparse.ArgumentTypeError(f"{text}: expected a whole number, 1 or more")
    return int(digits)


def main(argv: list[str]) -> int:
    """Exit codes: 0 done, 2 usage or a data set in the way, 1 could not write."""
    parser = argparse.ArgumentParser(prog="generate.py", description="Make flights in the BTS On-Time schema.")
    parser.add_argument("--rows", type=_count, default=10_000, help="how many flights [10000]")
    parser.add_argument("--seed", type=_count, default=42, help="[42]")
    parser.add_argument("--year", type=int, choices=range(1987, 2101), metavar="YEAR", default=2023, help="[2023]")
    # The services' data folder; without containers it is elsewhere.
    sample = Path(os.environ.get("DATA_DIR") or "/data", "sample")
    parser.add_argument("--output", type=Path, default=sample, help="folder to write into [%(default)s]")
    parser.add_argument("--format", choices=FORMATS, default="csv", help="[csv]")
    parser.add_argument("--replace", action="store_true", help="replace the flights generated there before")
    options = parser.parse_args(argv)
    started = time.monotonic()
    try:
        made = generate(options.rows, options.seed, options.year, options.output, options.format, options.replace)
    except FileExistsError as problem:
        print(f"ERROR: {problem}", file=sys.stderr)
        return 2
    except OSError as problem:
        print(f"ERROR: {options.output}: cannot be written: {problem.strerror or problem}.", file=sys.stderr)
        return 1
    files = made["files"]
    assert isinstance(files, list)
    size = sum((options.output / name).stat().st_size for name in files)
    print(
        f"{made['rows']:,} flights of {options.year} in {options.output}: {len(files)} files, {size / 1e6:,.1f} MB, "
        f"{time.monotonic() - started:.1f} s"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
