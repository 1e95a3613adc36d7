"""Trains once: python -m windpower.train [--trials N]. As `kedro run --pipeline training`, without a traceback."""

from __future__ import annotations

import argparse
import os
import sys

from windpower.registry import must_answer
from windpower.running import ended, run_pipeline


def main() -> int:
    """Exit codes: 0 done, 2 data or settings cannot be used, 1 MLflow or a file cannot."""
    parser = argparse.ArgumentParser(
        prog="windpower.train", description="Trains a model and compares it with the champion."
    )
    parser.add_argument("--trials", help="sets of options to try [TRIALS, else 4]")
    given = parser.parse_args()
    if given.trials:
        os.environ["TRIALS"] = given.trials
    must_answer()
    run_pipeline("training")
    return 0


if __name__ == "__main__":
    sys.exit(ended(main))
