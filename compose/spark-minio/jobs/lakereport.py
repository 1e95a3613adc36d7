"""The lake job's report for people, made from what metrics.json holds."""

from __future__ import annotations

from typing import Any

WIDTH = 100


def report(metrics: dict[str, Any]) -> str:
    """The whole report, at most WIDTH characters a line where paths are not longer."""
    data, read, sums = metrics["input"], metrics["read"], metrics["sums"]
    doubled = data["rows"] - data["bad"] - data["rides"]
    tail = f"Spark {metrics['spark']}, {metrics['seconds']:.0f} s"
    lines = [
        f"LAKE  local files to the object store and back{tail:>{WIDTH - 46}}",
        "─" * WIDTH,
        f"Input      {data['path']}, {data['rows']:,} rows: "
        f"{data['rides']:,} rides, {data['bad']:,} bad, {doubled:,} doubled",
        f"Written    {metrics['written']['url']}, {metrics['written']['seconds']:.1f} s",
        f"Read back  all {data['rides']:,}, {data['cents'] / 100:,.2f} in all, {read['seconds']:.1f} s",
    ]
    lines += [f"             {rows:>10,} by executor {name}" for name, rows in read["executors"].items()]
    lines += [f"Sums       {sums['url']}, {sums['rows']:,} rows", "", f"{'station':<12}{'rides':>12}{'revenue':>16}"]
    ranked = sorted(metrics["stations"].items(), key=lambda item: -item[1][0])
    lines += [f"{station:<12}{rides:>12,}{cents / 100:>16,.2f}" for station, (rides, cents) in ranked]
    lines += ["", f"Output     {metrics['output']}: by_station.csv, metrics.json, report.txt"]
    return "\n".join(lines) + "\n"
