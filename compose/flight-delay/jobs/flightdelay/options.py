"""The arguments of the job."""

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn
from urllib.parse import unquote, urlparse

from flightdelay.steps import TASKS
from flightdelay.train import MODELS


@dataclass(frozen=True)
class Options:
    """What to do. threshold None: choose it on the validation part. pca None: no PCA."""

    input: Path
    output: Path
    tasks: tuple[str, ...]
    models: tuple[str, ...]
    pca: int | None
    threshold: float | None
    experiment: str
    seed: int

    def params(self) -> dict[str, str]:
        """The arguments as MLflow parameters."""
        return {
            "input": str(self.input),
            "output": str(self.output),
            "tasks": ",".join(self.tasks),
            "models": ",".join(self.models),
            "pca": "none" if self.pca is None else str(self.pca),
            "threshold": "auto" if self.threshold is None else str(self.threshold),
            "seed": str(self.seed),
        }


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        sys.stderr.write(f"ERROR: {message}\n{self.format_usage()}")
        raise SystemExit(2)


def _some_of(allowed: Sequence[str], text: str) -> tuple[str, ...]:
    wanted = [word.strip().lower() for word in text.split(",") if word.strip()]
    unknown = [word for word in wanted if word not in allowed]
    if unknown or not wanted:
        raise argparse.ArgumentTypeError(f"{', '.join(unknown) or 'nothing'}: expected some of {','.join(allowed)}")
    return tuple(word for word in allowed if word in wanted)


def _threshold(text: str) -> float | None:
    if text == "auto":
        return None
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 < value < 1:
        raise argparse.ArgumentTypeError(f"{text}: expected auto or a number between 0 and 1")
    return value


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text}: expected a whole number, 1 or more")
    return int(text)


def _path(text: str) -> Path:
    url = urlparse(text)
    if url.scheme not in ("", "file"):
        raise argparse.ArgumentTypeError(f"{text}: expected a folder that driver and workers mount, such as /data")
    return Path(unquote(url.path) if url.scheme else text).absolute()


def parse(argv: Sequence[str], environ: Mapping[str, str]) -> Options:
    """Read the arguments; a mistake ends the process with exit code 2 and a message on stderr."""
    parser = _Parser(prog="flight_delay.py", description="Predict flights that arrive 15 minutes late or more.")
    # Folders of the services; without containers these are elsewhere.
    data, output = environ.get("DATA_DIR") or "/data", f"{environ.get('OUTPUT_DIR') or '/output'}/flight-delay"
    parser.add_argument(
        "--input", type=_path, default=data, help="a file, or a folder with its subfolders [%(default)s]"
    )
    parser.add_argument("--output", type=_path, default=output, help="[%(default)s]")
    parser.add_argument(
        "--tasks",
        type=lambda text: _some_of(TASKS, text),
        default=environ.get("TASKS") or ",".join(TASKS),
        help="steps to run, each going on from what the one before left [$TASKS, else load,preprocess,train]",
    )
    parser.add_argument(
        "--models", type=lambda text: _some_of(tuple(MODELS), text), default="lr,rf,gbt", help="[lr,rf,gbt]"
    )
    parser.add_argument("--pca", type=_count, metavar="K", help="reduce the features to K components [none]")
    parser.add_argument(
        "--threshold", type=_threshold, default="auto", help="score that means late; auto: best F1 on validation [auto]"
    )
    parser.add_argument("--experiment", default="flight-delay", help="MLflow experiment [flight-delay]")
    parser.add_argument("--seed", type=_count, default=42, help="of the random parts of training [42]")
    return Options(**vars(parser.parse_args(argv)))
