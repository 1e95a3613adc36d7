"""Make a made-up turbine's SCADA data: python -m windpower.generate --rows 30000 --seed 7.

Every number is invented, and the same options give the same data. Planted (turbine.py has the numbers): a power curve
that depends on wind, air density and yaw, seasons, days and nights, sensor faults, and a turbine that loses --loss
percent of its power every 30 days, from three days after the start of the part that the stream replays.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict
from pathlib import Path

import numpy as np

from windpower.columns import STEP_MINUTES
from windpower.files import MANIFEST, manifest, write_json
from windpower.places import BadSetting, rated_kw, raw_folder
from windpower.split import HELD_OUT
from windpower.turbine import Turbine, measurements, with_faults

HEALTHY_DAYS = 3


def generate(
    rows: int, turbine: Turbine, start: str, output: Path, form: str, replace: bool = False
) -> dict[str, object]:
    """Writes `rows` points (fewer rows with gaps, more with doubled times) and a manifest, which it returns.

    Raises FileExistsError where the folder has generated data already and `replace` is not set.
    """
    known = manifest(output)
    present = known is not None and (output / str(known["file"])).exists()
    if present and not replace:
        raise FileExistsError(f"{output} has generated data already. Give --replace to make new data.")
    table, _ = measurements(turbine, start, rows)
    table, planted = with_faults(table, turbine)
    output.mkdir(parents=True, exist_ok=True)
    if known is not None:
        (output / MANIFEST).unlink()
        (output / str(known["file"])).unlink(missing_ok=True)
    file = output / f"scada.{form}"
    part = file.with_suffix(".part")
    if form == "parquet":
        table.to_parquet(part, index=False)
    else:
        table.to_csv(part, index=False)
    part.replace(file)
    made = {
        "file": file.name,
        "points": rows,
        "rows": len(table),
        "start": start,
        "planted": planted,
        "turbine": asdict(turbine),
    }
    write_json(output / MANIFEST, made)
    return made


def _count(text: str) -> int:
    digits = text.replace(",", "").replace("_", "")
    if not digits.isdecimal() or int(digits) < 1:
        raise argparse.ArgumentTypeError(f"{text}: expected a whole number, 1 or more")
    return int(digits)


def _rows(text: str) -> int:
    count = _count(text)
    if not 1_000 <= count <= 1_000_000:
        raise argparse.ArgumentTypeError(f"{text}: expected 1,000 to 1,000,000")
    return count


def _percent(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1
    if not 0 <= value <= 100:
        raise argparse.ArgumentTypeError(f"{text}: expected 0 to 100")
    return value


def main(argv: list[str]) -> int:
    """Exit codes: 0 done, 2 usage or data in the way, 1 could not write."""
    parser = argparse.ArgumentParser(prog="windpower.generate", description="Make a turbine's SCADA data.")
    parser.add_argument("--rows", type=_rows, default=13_000, help="points of ten minutes [13000, 90 days]")
    parser.add_argument("--seed", type=_count, default=42, help="[42]")
    parser.add_argument("--format", choices=("parquet", "csv"), default="parquet", help="[parquet]")
    parser.add_argument("--loss", type=_percent, default=30, help="percent of power lost in 30 days [30]; 0: none")
    parser.add_argument("--faults", type=_percent, default=1, help="times the usual number of sensor faults [1]")
    parser.add_argument("--start", type=np.datetime64, default=np.datetime64("2024-01-01"), help="[2024-01-01]")
    parser.add_argument("--output", type=Path, default=raw_folder(), help="folder to write into [%(default)s]")
    parser.add_argument("--replace", action="store_true", help="replace the data generated there before")
    given = parser.parse_args(argv)
    step = np.timedelta64(STEP_MINUTES, "m")
    loss_from = given.start + round(given.rows * (1 - HELD_OUT)) * step + np.timedelta64(HEALTHY_DAYS, "D")
    try:
        turbine = Turbine(
            given.seed, rated_kw(), given.loss / 100, str(loss_from.astype("datetime64[m]")), given.faults
        )
        start = str(given.start.astype("datetime64[m]"))
        made = generate(given.rows, turbine, start, given.output, given.format, given.replace)
    except (FileExistsError, BadSetting) as problem:
        print(f"ERROR: {problem}", file=sys.stderr)
        return 2
    except OSError as problem:
        print(f"ERROR: {given.output}: cannot be written: {problem.strerror or problem}.", file=sys.stderr)
        return 1
    print(
        f"{made['rows']:,} rows, {given.rows / 144:,.0f} days from {given.start}, in {given.output / str(made['file'])}"
    )
    print(f"Planted faults, in rows: {made['planted']}")
    print(
        f"From {turbine.loss_from} on it loses {given.loss:g} % of its power every 30 days."
        if given.loss
        else "No loss."
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
