"""What SCADA files get wrong: counted, and handled as README.md says. Imports nothing but pandas and numpy."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from windpower.columns import COLUMNS, LIMITS, NEEDED, POWER, STEP_MINUTES, TIME, VALUES, WIND

# A wind speed that stays the same to the last digit for longer than this comes from a frozen sensor.
STUCK_POINTS = 3
# The turbine certainly turns in these winds; without power it was stopped, by a person or a fault.
RUNNING_WIND = (6.0, 20.0)


class UnusableData(Exception):
    """The data cannot be used at all; the message says why and what to do."""


@dataclass
class Report:
    """What was found in the data and what was done about it.

    `rows` = `kept` + `no_time` + `doubled`. `impossible`, `unreadable` and `missing` count values by column: all three
    become missing values, and the row is kept. `gaps` are runs of absent times, `gap_points` how many those are.
    """

    rows: int = 0
    kept: int = 0
    no_time: int = 0
    doubled: int = 0
    doubled_differing: int = 0
    out_of_order: int = 0
    off_grid: int = 0
    gaps: int = 0
    gap_points: int = 0
    longest_gap_hours: float = 0.0
    stuck: int = 0
    stopped: int = 0
    usable: int = 0
    first: str | None = None
    last: str | None = None
    absent_columns: list[str] = field(default_factory=list)
    impossible: dict[str, int] = field(default_factory=dict)
    unreadable: dict[str, int] = field(default_factory=dict)
    missing: dict[str, int] = field(default_factory=dict)

    def lines(self) -> list[str]:
        """The report as people read it, without what did not occur."""
        found = [
            f"{self.rows:,} rows, {self.first} to {self.last}; {self.kept:,} kept, {self.usable:,} of use for training"
        ]
        for count, what in (
            (self.no_time, "rows without a readable time: left out"),
            (self.doubled, f"rows with a time that was there already ({self.doubled_differing:,} differ): first kept"),
            (self.out_of_order, "rows out of order: sorted"),
            (self.off_grid, f"times off the {STEP_MINUTES}-minute grid: moved to the nearest"),
            (self.stuck, f"{WIND} values that stay the same for more than {STUCK_POINTS} points: made missing"),
            (self.stopped, "points without power in good wind (turbine stopped): neither trained nor measured on"),
        ):
            if count:
                found.append(f"  {count:,} {what}")
        if self.gaps:
            hours = self.longest_gap_hours
            found.append(f"  {self.gaps:,} gaps, {self.gap_points:,} points, the longest {hours:,.1f} h: left missing")
        for what, counts in (("impossible", self.impossible), ("unreadable", self.unreadable)):
            for column, count in counts.items():
                found.append(f"  {count:,} {what} values of {column}: made missing")
        if self.absent_columns:
            found.append(f"  no column {', '.join(self.absent_columns)}: done without")
        return found


def clean(raw: pd.DataFrame, rated_kw: float) -> tuple[pd.DataFrame, Report]:
    """Makes one row a time out of raw SCADA rows, sorted, with what is impossible taken out.

    Returns a table with COLUMNS (time of type datetime64, values float, missing ones NaN) plus the flag `Stopped`, and
    the report. Absent times stay absent. Raises UnusableData where a column of NEEDED is missing.
    """
    lacking = [name for name in NEEDED if name not in raw.columns]
    if lacking:
        have = ", ".join(map(str, raw.columns[:20]))
        raise UnusableData(
            f"The data has no column {', '.join(lacking)}. It has: {have}. Expected: {', '.join(COLUMNS)}."
        )
    report = Report(rows=len(raw), absent_columns=[name for name in VALUES if name not in raw.columns])
    table = on_grid(raw, report)
    for column in VALUES:
        table[column] = _possible(table, column, rated_kw, report)
    stuck = _stuck(table[WIND])
    report.stuck = int(stuck.sum())
    table.loc[stuck, WIND] = np.nan
    table["Stopped"] = table[WIND].between(*RUNNING_WIND) & (table[POWER] <= 0.0)
    report.stopped = int(table["Stopped"].sum())
    report.missing = {name: int(count) for name in VALUES if (count := table[name].isna().sum())}
    report.usable = int((table[WIND].notna() & table[POWER].notna() & ~table["Stopped"]).sum())
    return table[[*COLUMNS, "Stopped"]], report


def on_grid(raw: pd.DataFrame, report: Report) -> pd.DataFrame:
    """One row a time, sorted, values as they are; counts into `report` what was wrong with the times."""
    table = raw.reset_index(drop=True).copy()
    times = table[TIME]
    if not pd.api.types.is_datetime64_any_dtype(times):
        times = pd.to_datetime(times.astype("string"), errors="coerce", utc=True, format="ISO8601")
    if times.dt.tz is not None:
        times = times.dt.tz_convert("UTC").dt.tz_localize(None)
    known = times.notna()
    report.no_time = int((~known).sum())
    table, times = table[known], times[known].astype("datetime64[ns]")
    report.out_of_order = int((times.diff() < pd.Timedelta(0)).sum())
    grid = times.dt.round(f"{STEP_MINUTES}min")
    report.off_grid = int((grid != times).sum())
    table[TIME] = grid
    table = table.sort_values(TIME, kind="stable")
    again = table.duplicated(TIME, keep="first")
    columns = [name for name in COLUMNS if name in table.columns]
    report.doubled = int(again.sum())
    report.doubled_differing = report.doubled - int(table.duplicated(columns, keep="first").sum())
    table = table[~again].reset_index(drop=True)
    report.kept = len(table)
    if len(table):
        steps = table[TIME].diff().dt.total_seconds().dropna() / 60 / STEP_MINUTES
        absent = (steps - 1).round().clip(lower=0)
        report.gaps, report.gap_points = int((absent > 0).sum()), int(absent.sum())
        report.longest_gap_hours = float(absent.max() * STEP_MINUTES / 60) if len(absent) else 0.0
        report.first, report.last = str(table[TIME].iloc[0]), str(table[TIME].iloc[-1])
    return table


def _possible(table: pd.DataFrame, column: str, rated_kw: float, report: Report) -> pd.Series[Any]:
    """A column's values as numbers, those that cannot be made missing and counted."""
    if column not in table.columns:
        return pd.Series(np.nan, index=table.index)
    given = table[column]
    values = pd.to_numeric(given, errors="coerce").astype("float64").replace([np.inf, -np.inf], np.nan)
    if unreadable := int((values.isna() & given.notna() & (given.astype("string").str.strip() != "")).sum()):
        report.unreadable[column] = unreadable
    low, high = LIMITS[column]
    if column == POWER:
        low, high = low * rated_kw, high * rated_kw
    outside = (values < low) | (values > high)
    if count := int(outside.sum()):
        report.impossible[column] = count
    values = values.mask(outside)
    # Both ways of writing a direction occur: -10 is 350.
    return (values + 180.0) % 360.0 - 180.0 if column == "WindDirRel" else values


def _stuck(wind: pd.Series[Any]) -> pd.Series[bool]:
    """Which wind speeds repeat the ones before for more than STUCK_POINTS points; a calm is no fault.

    Looks back only, so that a stream is judged as a file is.
    """
    same = (wind == wind.shift()) & (wind > 0)
    run = same.groupby((~same).cumsum()).cumsum()
    return run >= STUCK_POINTS
