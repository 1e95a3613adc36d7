"""What one moment tells without asking anybody: cheap enough for every change on the screen."""

from __future__ import annotations

from tui.checks.cluster import check_cluster
from tui.checks.dependencies import check_waits
from tui.checks.finding import Finding
from tui.checks.foreign import check_foreign
from tui.checks.services import check_services
from tui.checks.situation import Situation


def check_moment(now: Situation) -> list[Finding]:
    """The checks that ask nobody."""
    return [*check_foreign(now), *check_services(now), *check_waits(now), *check_cluster(now)]
