"""The stack's own project, as its services import it."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3] / "compose" / "wind-power" / "project" / "src"))
