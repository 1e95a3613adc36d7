"""What one moment tells without asking anybody: cheap enough for every change on the screen."""

from __future__ import annotations

from tui.checks.cluster import check_cluster
from tui.checks.finding import Finding
from tui.checks.services import check_services
from tui.checks.situation import Situation


def check_moment(now: Situation) -> list[Finding]:
    """What one moment tells without asking anybody: cheap enough for every change."""
    return [*check_services(now), *check_cluster(now)]
