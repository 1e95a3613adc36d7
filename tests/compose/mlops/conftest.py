"""The pipeline's own code, which containers see as /code."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3] / "compose" / "mlops" / "code"))
