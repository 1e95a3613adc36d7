"""A file that is written whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO


@contextmanager
def whole_file(target: Path, *, new: bool = False) -> Iterator[TextIO]:
    """Opens a text file in UTF-8, for its owner only; it becomes `target` if nothing was raised. Raises OSError;
    FileExistsError where it is to be `new` and is there by then."""
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f"{target.name}-", suffix=".part")
    part = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            yield file
        if new and target.exists():
            raise FileExistsError(f"{target} exists and stays as it is.")
        part.replace(target)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
