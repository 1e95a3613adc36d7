"""Parts of SparkDeck itself that failed."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from tui.checks.finding import Finding
from tui.watch.supervise import Failure, failure_file, written_failures

# A failure that was written down longer ago is no longer worth a word.
RECENT = timedelta(days=1)


def check_ourselves(failures: Iterable[Failure]) -> list[Finding]:
    """A finding for each part that is not known to be well again."""
    remedy = (
        "It was begun again by itself; until then what it shows is missing or old. Please report it, "
        f"with the traceback in {failure_file()}."
    )
    return [Finding(f"A part of SparkDeck failed: {one.part}: {one.error}", remedy) for one in failures]


def check_written() -> list[Finding]:
    """What failed lately, of whichever SparkDeck of this user: of each part the last time."""
    since = datetime.now(UTC) - RECENT
    last = {one.part: one for one in written_failures() if one.at > since}
    return [
        Finding(
            f"A part of SparkDeck failed at {one.at.astimezone():%Y-%m-%d %H:%M}: {one.part}: {one.error}",
            f"It was begun again by itself. Please report it, with the traceback in {failure_file()}; "
            "remove that file to be told no more.",
        )
        for one in last.values()
    ]
